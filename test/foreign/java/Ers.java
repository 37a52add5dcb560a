import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Date;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.ers.ERSByteData;
import org.bouncycastle.tsp.ers.ERSEvidenceRecord;

/** Validates RFC 4998 evidence records: pairs of files, record then data. */
public class Ers {
  public static void main(String[] args) throws Exception {
    var provider = new BouncyCastleProvider();
    var digests = new JcaDigestCalculatorProviderBuilder().setProvider(provider).build();
    for (int i = 0; i < args.length; i += 2) {
      String verdict;
      try {
        var record = new ERSEvidenceRecord(Files.readAllBytes(Path.of(args[i])), digests);
        record.validatePresent(new ERSByteData(Files.readAllBytes(Path.of(args[i + 1]))), new Date());
        var signer = record.getSigningCertificate();
        record.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider(provider).build(signer));
        verdict = "valid";
      } catch (Exception | Error e) {
        verdict = "refused: " + e.getMessage();
      }
      System.out.println(args[i] + " " + verdict);
    }
  }
}

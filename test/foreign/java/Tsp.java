import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.util.Arrays;

/** Verifies RFC 3161 responses: pairs of files, response then stamped data. */
public class Tsp {
  public static void main(String[] args) throws Exception {
    var provider = new BouncyCastleProvider();
    for (int i = 0; i < args.length; i += 2) {
      String verdict;
      try {
        var token = new TimeStampResponse(Files.readAllBytes(Path.of(args[i]))).getTimeStampToken();
        var info = token.getTimeStampInfo();
        var algorithm = info.getMessageImprintAlgOID().getId();
        var digest = MessageDigest.getInstance(algorithm, provider);
        var hash = digest.digest(Files.readAllBytes(Path.of(args[i + 1])));
        var certificate =
            (X509CertificateHolder) token.getCertificates().getMatches(token.getSID()).iterator().next();
        token.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider(provider).build(certificate));
        verdict = Arrays.areEqual(hash, info.getMessageImprintDigest()) ? "valid" : "refused: other data";
      } catch (Exception | Error e) {
        verdict = "refused: " + e;
      }
      System.out.println(args[i] + " " + verdict);
    }
  }
}

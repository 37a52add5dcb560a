import java.nio.file.Files;
import java.nio.file.Path;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** Verifies detached SM2 messages: pairs of files, message then content. */
public class Sm2 {
  public static void main(String[] args) throws Exception {
    var provider = new BouncyCastleProvider();
    for (int i = 0; i < args.length; i += 2) {
      String verdict;
      try {
        var content = new CMSProcessableByteArray(Files.readAllBytes(Path.of(args[i + 1])));
        var signed = new CMSSignedData(content, Files.readAllBytes(Path.of(args[i])));
        SignerInformation signer = signed.getSignerInfos().getSigners().iterator().next();
        var certificate =
            (X509CertificateHolder) signed.getCertificates().getMatches(signer.getSID()).iterator().next();
        var verifier = new JcaSimpleSignerInfoVerifierBuilder().setProvider(provider).build(certificate);
        verdict = signer.verify(verifier) ? "valid" : "refused: false";
      } catch (Exception | Error e) {
        verdict = "refused: " + e;
      }
      System.out.println(args[i] + " " + verdict);
    }
  }
}

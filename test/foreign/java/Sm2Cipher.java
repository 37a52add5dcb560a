import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.SecureRandom;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import org.bouncycastle.crypto.engines.SM2Engine;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.jcajce.provider.asymmetric.util.ECUtil;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** Arguments: mode, private key, public key, a cipher text to open, a file to write; prints the text. */
public class Sm2Cipher {
  public static void main(String[] args) throws Exception {
    var factory = KeyFactory.getInstance("EC", new BouncyCastleProvider());
    var mode = SM2Engine.Mode.valueOf(args[0]);
    var secret = factory.generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(args[1]))));
    var open = new SM2Engine(mode);
    open.init(false, ECUtil.generatePrivateKeyParameter(secret));
    byte[] cipher = Files.readAllBytes(Path.of(args[3]));
    byte[] text = open.processBlock(cipher, 0, cipher.length);
    var known = factory.generatePublic(new X509EncodedKeySpec(Files.readAllBytes(Path.of(args[2]))));
    var seal = new SM2Engine(mode);
    seal.init(true, new ParametersWithRandom(ECUtil.generatePublicKeyParameter(known), new SecureRandom()));
    Files.write(Path.of(args[4]), seal.processBlock(text, 0, text.length));
    System.out.print(new String(text));
  }
}

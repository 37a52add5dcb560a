import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.spec.ECGenParameterSpec;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TimeStampRequestGenerator;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampTokenGenerator;

/** A time stamping authority under SM2 and SM3: writes `root` and `tsr` over the file `data`. */
public class Sm2Tsa {
  static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();

  public static void main(String[] args) throws Exception {
    var generator = KeyPairGenerator.getInstance("EC", PROVIDER);
    generator.initialize(new ECGenParameterSpec("sm2p256v1"));
    KeyPair ca = generator.generateKeyPair();
    KeyPair tsa = generator.generateKeyPair();
    var root = certificate("CN=SM2 root", ca, "CN=SM2 root", ca, true);
    var leaf = certificate("CN=SM2 root", ca, "CN=SM2 TSA", tsa, false);
    var digests = new JcaDigestCalculatorProviderBuilder().setProvider(PROVIDER).build();
    var sm3 = new AlgorithmIdentifier(GMObjectIdentifiers.sm3);
    var signer = new JcaSignerInfoGeneratorBuilder(digests).build(signer(tsa), leaf);
    var policy = new ASN1ObjectIdentifier("1.2.156.1.1");
    var tokens = new TimeStampTokenGenerator(signer, digests.get(sm3), policy);
    tokens.addCertificates(new JcaCertStore(List.of(leaf)));
    var data = Files.readAllBytes(Path.of("data"));
    var hash = MessageDigest.getInstance("SM3", PROVIDER).digest(data);
    var request = new TimeStampRequestGenerator();
    request.setCertReq(true);
    var query = request.generate(GMObjectIdentifiers.sm3, hash, BigInteger.valueOf(4711));
    var accepted = java.util.Set.of(GMObjectIdentifiers.sm3.getId());
    var answer = new TimeStampResponseGenerator(tokens, accepted)
        .generate(query, BigInteger.ONE, new Date());
    Files.write(Path.of("root"), root.getEncoded());
    Files.write(Path.of("tsr"), answer.getEncoded());
    System.out.println("tsr made " + answer.getStatus());
  }

  static ContentSigner signer(KeyPair keys) throws Exception {
    return new JcaContentSignerBuilder("SM3WITHSM2").setProvider(PROVIDER).build(keys.getPrivate());
  }

  static X509CertificateHolder certificate(
      String issuer, KeyPair by, String subject, KeyPair of, boolean authority) throws Exception {
    long now = System.currentTimeMillis();
    var builder = new JcaX509v3CertificateBuilder(
        new X500Name(issuer), BigInteger.valueOf(now), new Date(now - 60_000),
        new Date(now + 86_400_000L), new X500Name(subject), of.getPublic());
    if (authority) {
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
      builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign));
    } else {
      var stamping = new ExtendedKeyUsage(KeyPurposeId.id_kp_timeStamping);
      builder.addExtension(Extension.extendedKeyUsage, true, stamping);
      builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
    }
    return builder.build(signer(by));
  }
}

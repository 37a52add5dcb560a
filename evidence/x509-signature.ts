/** Checking a signature with a certificate's key. WebCrypto only. @module */
import * as asn1 from 'asn1js'
import * as pkijs from 'pkijs'
import { isEcdsaValue, toBuffer } from './der.ts'
import { SM2_WITH_SM3, sm2Verify } from './gm/sm2.ts'
import { OID } from './x509-profile.ts'

/** What is signed, how, and by which key. */
export interface SignedBytes {
  readonly key: pkijs.PublicKeyInfo
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
  readonly algorithm: pkijs.AlgorithmIdentifier
  /** The digest, where the algorithm does not name it (RFC 5652: RSA). */
  readonly hash?: string
}

/** Whether the signature holds, and is spelled in the one way there is. */
export async function isSignedBy(signed: SignedBytes): Promise<boolean> {
  const { key, bytes, signature, algorithm, hash } = signed
  // WebCrypto knows nothing of SM2. The signer's id is the default one (GM/T 0009, GM/T 0015).
  if (algorithm.algorithmId === SM2_WITH_SM3) {
    return sm2Verify(new Uint8Array(key.toSchema().toBER()), bytes, signature)
  }
  // RFC 3279 §2.2.3: an ECDSA signature is DER itself.
  if (key.algorithm.algorithmId === OID.ecPublicKey && !isEcdsaValue(signature, pointSize(key))) {
    return false
  }
  try {
    const octets = new asn1.OctetString({ valueHex: toBuffer(signature) })
    const engine = pkijs.getCrypto(true)
    return await engine.verifyWithPublicKey(toBuffer(bytes), octets, key, algorithm, hash)
  } catch {
    return false // The library throws where key and algorithm do not fit; both mean: not signed.
  }
}

/** Of an uncompressed point: 04, x, y. */
function pointSize({ subjectPublicKey }: pkijs.PublicKeyInfo): number {
  return (subjectPublicKey.valueBlock.valueHexView.length - 1) >> 1
}

/** Stands in for evidence/crypto.ts in the verifier page: the same answers, by the noble libraries. @module */
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as hash } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import type * as port from '../../crypto.ts'
import { sm3 as ownSm3 } from '../../gm/sm3.ts'

interface RawKey extends port.PublicKey {
  readonly scheme: port.SignatureScheme
  readonly raw: Uint8Array
}

/** SubjectPublicKeyInfo of P-256 up to the uncompressed point (RFC 5480 §2.1.1, §2.2). */
const P256_PREFIX = '3059301306072a8648ce3d020106082a8648ce3d030107034200'

/** See evidence/crypto.ts. */
export const sha256: typeof port.sha256 = (data) =>
  Buffer.from(hash(typeof data === 'string' ? utf8ToBytes(data) : data))

/** See evidence/crypto.ts. */
export const sm3: typeof port.sm3 = (data) => Buffer.from(ownSm3(data))

/** See evidence/crypto.ts. */
export const sha256Text: typeof port.sha256Text = (text) => sha256(text).toString('base64url')

/** See evidence/crypto.ts. */
export const hmacSha256: typeof port.hmacSha256 = (key) => (text) =>
  Buffer.from(hmac(hash, key, utf8ToBytes(text))).toString('base64url')

/** See evidence/crypto.ts. */
export const readP256Key: typeof port.readP256Key = (spki) => {
  const start = P256_PREFIX.length / 2
  if (Buffer.from(spki.subarray(0, start)).toString('hex') !== P256_PREFIX) {
    throw new Error('expected a P-256 key')
  }
  p256.Point.fromBytes(spki.subarray(start)) // Throws for what is no point of the curve.
  return makeKey('ES256', spki.subarray(start))
}

/** See evidence/crypto.ts. */
export const readRawKey: typeof port.readRawKey = (scheme, raw) => makeKey(scheme, raw)

/** See evidence/crypto.ts. */
export const verifySignature: typeof port.verifySignature = (scheme, key, message, signature) => {
  const { raw, scheme: own } = key as RawKey
  if (own !== scheme) return false
  try {
    if (scheme === 'ES256') return p256.verify(signature, message, raw, { lowS: false })
    // RFC 8032 §5.1.7, as OpenSSL has it, not the laxer ZIP-215.
    if (scheme === 'Ed25519') return ed25519.verify(signature, message, raw, { zip215: false })
    return ml_dsa44.verify(signature, message, raw)
  } catch {
    return false // The libraries throw at a wrong length or a point off the curve.
  }
}

function makeKey(scheme: port.SignatureScheme, raw: Uint8Array): port.PublicKey {
  const key: RawKey = {
    scheme,
    raw,
    equals: (other) => {
      const { scheme: theirs, raw: bytes } = other as RawKey
      return theirs === scheme && Buffer.from(bytes).equals(raw)
    },
  }
  return key
}

/**
 * The hashing and the signature checks that every verification needs, by node:crypto. The verifier
 * page puts page/browser/crypto.ts in its place: all other code of a verification is the same. @module
 */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { createHmac } from '../base/hmac.ts'

/** A public key of whatever implementation stands behind this port. */
export interface PublicKey {
  equals(other: PublicKey): boolean
}

/** How a signature is made: ES256 is r ‖ s over SHA-256 (RFC 7518 §3.4); the others are pure. */
export type SignatureScheme = 'ES256' | 'Ed25519' | 'ML-DSA-44'

/** SHA-256 of bytes, or of a text's UTF-8 bytes. */
export function sha256(data: Uint8Array | string): Buffer {
  // Asked for a Buffer, the one-shot hash takes three times as long.
  return Buffer.from(hash('sha256', data, 'latin1'), 'latin1')
}

/** SHA-256 of a text's UTF-8 bytes, in base64url. */
export function sha256Text(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** SM3 of bytes. */
export function sm3(data: Uint8Array): Buffer {
  return hash('sm3', data, 'buffer')
}

/** Prepares HMAC-SHA-256, in base64url, of texts' UTF-8 bytes under one key. */
export function hmacSha256(key: Uint8Array): (text: string) => string {
  const hmac = createHmac('sha256', key)
  return (text) => hmac(text, 'base64url')
}

/**
 * Reads a P-256 key.
 *
 * @param spki SubjectPublicKeyInfo, DER.
 * @throws {Error} when it is no such key; callers turn it into their own finding.
 */
export function readP256Key(spki: Uint8Array): PublicKey {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  throw new Error('expected a P-256 key')
}

/** Reads a key from its bytes: 32 for Ed25519 (RFC 8032), 1312 for ML-DSA-44 (FIPS 204). @throws {Error} */
export function readRawKey(scheme: 'Ed25519' | 'ML-DSA-44', raw: Uint8Array): PublicKey {
  const encoded = Buffer.from(raw).toString('base64url')
  const jwk =
    scheme === 'ML-DSA-44'
      ? { kty: 'AKP', alg: 'ML-DSA-44', pub: encoded }
      : { kty: 'OKP', crv: 'Ed25519', x: encoded }
  return createPublicKey({ key: jwk, format: 'jwk' })
}

/** Whether a signature holds; a key of another scheme holds nothing. */
export function verifySignature(
  scheme: SignatureScheme,
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  // INVARIANT: all public keys of this process are node's own.
  const object = key as KeyObject
  if (object.asymmetricKeyType !== KEY_TYPES[scheme]) return false
  if (scheme !== 'ES256') return verify(null, message, object, signature)
  return verify('sha256', message, { key: object, dsaEncoding: 'ieee-p1363' }, signature)
}

const KEY_TYPES = { ES256: 'ec', Ed25519: 'ed25519', 'ML-DSA-44': 'ml-dsa-44' } as const

/** Symmetric encryption of what is inside: AES and SM4 in CBC, GCM and, weak, ECB. @module */
import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  type DecipherGCM,
  randomBytes,
} from 'node:crypto'

/** By the name in sealgate.yaml, which is OpenSSL's too. */
// prettier-ignore
const CIPHERS: Readonly<Record<string, CipherType>> = {
  'aes-128-gcm': { keyBytes: 16, ivBytes: 12, tagBytes: 16 },
  'aes-256-gcm': { keyBytes: 32, ivBytes: 12, tagBytes: 16 },
  'sm4-gcm':     { keyBytes: 16, ivBytes: 12, tagBytes: 16 },
  'aes-128-cbc': { keyBytes: 16, ivBytes: 16, tagBytes: 0 },
  'aes-192-cbc': { keyBytes: 24, ivBytes: 16, tagBytes: 0 },
  'aes-256-cbc': { keyBytes: 32, ivBytes: 16, tagBytes: 0 },
  'sm4-cbc':     { keyBytes: 16, ivBytes: 16, tagBytes: 0 },
  'aes-128-ecb': { keyBytes: 16, ivBytes: 0,  tagBytes: 0 },
  'aes-256-ecb': { keyBytes: 32, ivBytes: 0,  tagBytes: 0 },
  'sm4-ecb':     { keyBytes: 16, ivBytes: 0,  tagBytes: 0 },
}
/** The names, for messages. */
export const CIPHER_NAMES = Object.keys(CIPHERS)

/** Sizes of a cipher, in bytes. */
export interface CipherType {
  readonly keyBytes: number
  readonly ivBytes: number
  /** 0 for a cipher that does not authenticate. */
  readonly tagBytes: number
}

/** The sizes of a cipher that the table names. */
export function cipherType(algorithm: string): CipherType {
  return CIPHERS[algorithm] ?? { keyBytes: 0, ivBytes: 0, tagBytes: 0 }
}

/** A new initialisation vector. */
export function freshIv(algorithm: string): Buffer {
  return randomBytes(cipherType(algorithm).ivBytes)
}

/** Encrypts, PKCS#7 padded or followed by its tag, as Java's ciphers do. */
export function encrypt(algorithm: string, key: Buffer, iv: Buffer, plain: Buffer): Buffer {
  const { tagBytes, ivBytes } = cipherType(algorithm)
  const cipher = createCipheriv(algorithm, key, ivBytes === 0 ? null : iv)
  const parts = [cipher.update(plain), cipher.final()]
  if (tagBytes > 0) parts.push((cipher as CipherGCM).getAuthTag())
  return Buffer.concat(parts)
}

/** Decrypts. @throws {Error} of any kind: the caller makes them all one. */
export function decrypt(algorithm: string, key: Buffer, iv: Buffer, bytes: Buffer): Buffer {
  const { tagBytes, ivBytes } = cipherType(algorithm)
  if (iv.length !== ivBytes || bytes.length < tagBytes) throw new Error('expected a whole text')
  const decipher = createDecipheriv(algorithm, key, ivBytes === 0 ? null : iv)
  const end = bytes.length - tagBytes
  // INVARIANT: the tag is whole, 16 bytes: a shorter one could be guessed.
  if (tagBytes > 0) (decipher as DecipherGCM).setAuthTag(bytes.subarray(end))
  return Buffer.concat([decipher.update(bytes.subarray(0, end)), decipher.final()])
}

/** Wraps the content key of one message: RSA-OAEP, SM2, and, weak, RSA PKCS#1 v1.5. @module */
import { constants, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { sm2Decrypt, sm2Encrypt } from '../../evidence/gm/sm2-cipher.ts'
import type { WrapConfig } from './config.ts'
import { readRsaPrivate, readRsaPublic, readSm2Private, readSm2Public } from './keys.ts'

// prettier-ignore
const RSA: Readonly<Record<string, { padding: number; oaepHash?: string }>> = {
  'rsa-oaep-256': { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
  'rsa-oaep':     { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
  'rsa-pkcs1':    { padding: constants.RSA_PKCS1_PADDING },
}
/** The names of the algorithms. */
export const WRAP_NAMES = [...Object.keys(RSA), 'sm2']

/** Wraps and unwraps keys of one size. */
export interface Wrap {
  wrap(key: Buffer): Buffer
  /** What does not unwrap gives a random key: the decryption after it fails, and no earlier. */
  unwrap(bytes: Buffer): Buffer
}

/** What the two key files of an algorithm must hold. */
export const WRAP_KEYS = {
  rsa: { ours: readRsaPrivate, theirs: readRsaPublic },
  sm2: { ours: readSm2Private, theirs: readSm2Public },
} as const

/** Opens the key files. */
export function openWrap({ algorithm, ours, theirs, sm2 }: WrapConfig, size: number): Wrap {
  const [secret, known] = [readFileSync(ours, 'utf8'), readFileSync(theirs, 'utf8')]
  const rsa = RSA[algorithm]
  if (rsa === undefined) {
    const [key, to] = [readSm2Private(secret), readSm2Public(known)]
    return {
      wrap: (plain) => sm2Encrypt(to, plain, sm2),
      unwrap: (bytes) => sized(size, () => sm2Decrypt(key, bytes, sm2)),
    }
  }
  const [key, to] = [readRsaPrivate(secret), readRsaPublic(known)]
  return {
    wrap: (plain) => publicEncrypt({ key: to, ...rsa }, plain),
    unwrap: (bytes) => sized(size, () => privateDecrypt({ key, ...rsa }, bytes)),
  }
}

/** RFC 7516 §11.5: nobody may learn from how it ends whether a key unwrapped. */
function sized(size: number, unwrap: () => Buffer): Buffer {
  const substitute = randomBytes(size)
  try {
    const key = unwrap()
    return key.length === size ? key : substitute
  } catch {
    return substitute
  }
}

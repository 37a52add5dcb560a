/** Signatures and MACs in a member of the outer document. @module */
import {
  createHash,
  createHmac,
  createSign,
  createVerify,
  hash,
  timingSafeEqual,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { sm2Signer, sm2Verify } from '../../evidence/gm/sm2.ts'
import type { SignConfig } from './config.ts'
import { decode, encode } from './encoding.ts'
import { readRsaPrivate, readRsaPublic, readSecret, readSm2Private, readSm2Public } from './keys.ts'

/** `shared`: a MAC; otherwise what our and their key files hold. */
// prettier-ignore
export const SIGN_TYPES = {
  'hmac-sha256': 'shared',
  'hmac-sm3':    'shared',
  'md5':         'shared',
  'rsa-sha256':  'rsa',
  'rsa-sha1':    'rsa',
  'sm2-sm3':     'sm2',
} as const satisfies Record<string, 'shared' | 'rsa' | 'sm2'>
export type SignAlgorithm = keyof typeof SIGN_TYPES

/** Signs and verifies texts. */
export interface Signature {
  sign(text: string): Promise<string>
  /** Compares in constant time. Never throws on hostile input. */
  verify(text: string, value: string): boolean
}

/** Opens the key files. */
export function openSignature({ algorithm, encoding, keys }: SignConfig): Signature {
  const { sign, verify } =
    'key' in keys ? openMac(algorithm, keys.key) : openPair(algorithm, keys.ours, keys.theirs)
  return {
    sign: async (text) => encode(await sign(text), encoding),
    verify: (text, value) => {
      let bytes: Buffer
      try {
        bytes = decode(value, encoding)
      } catch {
        return false // Another spelling is another text.
      }
      return verify(text, bytes)
    },
  }
}

interface Raw {
  sign(text: string): Uint8Array | Promise<Uint8Array>
  verify(text: string, value: Buffer): boolean
}

function openMac(algorithm: string, file: string): Raw {
  const secret = readSecret(readFileSync(file, 'utf8'))
  const digest = algorithm === 'hmac-sm3' ? 'sm3' : 'sha256'
  const sign = (text: string): Buffer =>
    algorithm === 'md5'
      ? createHash('md5').update(text).update('&key=').update(secret).digest()
      : createHmac(digest, secret).update(text).digest()
  return {
    sign,
    verify: (text, value) => {
      const want = sign(text)
      return want.length === value.length && timingSafeEqual(want, value)
    },
  }
}

function openPair(algorithm: string, ours: string, theirs: string): Raw {
  const [secret, known] = [readFileSync(ours, 'utf8'), readFileSync(theirs, 'utf8')]
  if (algorithm === 'sm2-sm3') {
    const signer = sm2Signer(readSm2Private(secret))
    const spki = readSm2Public(known)
    return {
      sign: (text) => signer.sign(Buffer.from(text)),
      verify: (text, value) => sm2Verify(spki, Buffer.from(text), value),
    }
  }
  const digest = algorithm === 'rsa-sha1' ? 'sha1' : 'sha256'
  const [key, from] = [readRsaPrivate(secret), readRsaPublic(known)]
  return {
    sign: (text) => createSign(digest).update(text).sign(key),
    verify: (text, value) => createVerify(digest).update(text).verify(from, value),
  }
}

/** Base64 of MD5 (RFC 1864), as `Content-MD5` has it. */
export function contentMd5(body: Uint8Array): string {
  return hash('md5', body, 'base64')
}

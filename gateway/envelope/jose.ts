/** JWE (RFC 7516) and JWS (RFC 7515) in compact form as envelopes. @module */
import { readFileSync } from 'node:fs'
import {
  compactDecrypt,
  CompactEncrypt,
  CompactSign,
  compactVerify,
  importJWK,
  type CryptoKey,
} from 'jose'
import type { JoseConfig, KeyFiles } from './config.ts'
import { decode } from './encoding.ts'
import { readJwkPrivate, readJwkPublic, readSecret } from './keys.ts'

// prettier-ignore
export const JWE_ALGORITHMS: Readonly<Record<string, 'shared' | 'pair'>> = {
  'RSA-OAEP-256': 'pair', 'RSA-OAEP': 'pair', 'ECDH-ES': 'pair', 'ECDH-ES+A256KW': 'pair',
  'dir': 'shared', 'A256KW': 'shared',
}
// prettier-ignore
export const JWS_ALGORITHMS: Readonly<Record<string, 'shared' | 'pair'>> = {
  'ES256': 'pair', 'RS256': 'pair', 'PS256': 'pair', 'EdDSA': 'pair', 'HS256': 'shared',
}
/** Content encryption → bytes of its key. */
// prettier-ignore
export const JWE_ENCRYPTIONS: Readonly<Record<string, number>> = {
  'A128GCM': 16, 'A256GCM': 32, 'A128CBC-HS256': 32, 'A256CBC-HS512': 64,
}

/** Opens and seals compact texts. */
export interface Jose {
  /** @throws {Error} of any kind: the caller makes them all one. */
  open(text: string): Promise<Buffer>
  seal(plain: Buffer): Promise<string>
}

interface Pair {
  readonly ours: CryptoKey | Uint8Array
  readonly theirs: CryptoKey | Uint8Array
}

/** Opens the key files. */
export async function openJose({ jwe, jws }: JoseConfig): Promise<Jose> {
  const secret = jwe && (await openKeys(jwe.algorithm, jwe.keys, secretSize(jwe)))
  const signer = jws && (await openKeys(jws.algorithm, jws.keys))
  return {
    open: async (text) => {
      let inner = text
      let plain: Uint8Array | undefined
      if (jwe !== undefined && secret !== undefined) {
        checkCompact(inner, 5)
        const options = {
          keyManagementAlgorithms: [jwe.algorithm],
          contentEncryptionAlgorithms: [jwe.encryption],
        }
        plain = (await compactDecrypt(inner, secret.ours, options)).plaintext
        inner = Buffer.from(plain).toString('latin1')
      }
      if (jws !== undefined && signer !== undefined) {
        checkCompact(inner, 3)
        const options = { algorithms: [jws.algorithm] }
        plain = (await compactVerify(inner, signer.theirs, options)).payload
      }
      return Buffer.from(plain ?? [])
    },
    seal: async (plain) => {
      let text: string | undefined
      if (jws !== undefined && signer !== undefined) {
        const header = { alg: jws.algorithm }
        text = await new CompactSign(plain).setProtectedHeader(header).sign(signer.ours)
      }
      if (jwe !== undefined && secret !== undefined) {
        const header = {
          alg: jwe.algorithm,
          enc: jwe.encryption,
          ...(text === undefined ? {} : { cty: 'JWS' }), // RFC 7516 §4.1.12
        }
        const bytes = text === undefined ? plain : Buffer.from(text)
        text = await new CompactEncrypt(bytes).setProtectedHeader(header).encrypt(secret.theirs)
      }
      return text ?? ''
    },
  }
}

/** Bytes of a shared secret: `dir` is the content key itself. */
export function secretSize(jwe: { readonly algorithm: string; readonly encryption: string }) {
  return jwe.algorithm === 'dir' ? JWE_ENCRYPTIONS[jwe.encryption] : 32
}

/** A text with stray bits in its last characters would be a second spelling of one message. */
function checkCompact(text: string, count: number): void {
  const parts = text.split('.')
  if (parts.length !== count) throw new Error(`expected ${count} parts`)
  for (const part of parts) decode(part, 'base64url')
}

async function openKeys(algorithm: string, keys: KeyFiles, size?: number): Promise<Pair> {
  if ('key' in keys) {
    const secret = readSecret(readFileSync(keys.key, 'utf8'), size)
    return { ours: secret, theirs: secret }
  }
  const [ours, theirs] = await Promise.all([
    importJWK(readJwkPrivate(readFileSync(keys.ours, 'utf8')), algorithm),
    importJWK(readJwkPublic(readFileSync(keys.theirs, 'utf8')), algorithm),
  ])
  return { ours, theirs }
}

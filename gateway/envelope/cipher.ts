/** What is inside, encrypted to text: where key and initialisation vector come from. @module */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cipherType, decrypt, encrypt, freshIv } from './block-cipher.ts'
import type { CipherConfig } from './config.ts'
import { decode, encode } from './encoding.ts'
import { readSecret } from './keys.ts'
import type { Members } from './members.ts'
import { openWrap, type Wrap } from './wrap.ts'

/** Encrypts to text and back; IV and wrapped key may stand in members beside it. */
export interface Cipher {
  open(text: string, members?: Members): Buffer
  seal(plain: Buffer, members?: Map<string, string>): string
}

/** Opens the key files. */
export function openCipher(config: CipherConfig): Cipher {
  const { algorithm, encoding, iv, key } = config
  const { keyBytes, ivBytes } = cipherType(algorithm)
  const wrap: Wrap | undefined = key.from === 'wrap' ? openWrap(key.wrap, keyBytes) : undefined
  const shared =
    key.from === 'file' ? readSecret(readFileSync(key.file, 'utf8'), keyBytes) : undefined
  const constant =
    iv.place === 'fixed'
      ? readSecret(readFileSync(iv.file, 'utf8'), ivBytes)
      : Buffer.alloc(ivBytes)
  const keyMember = key.from === 'wrap' ? key.wrap.member : ''
  return {
    open: (text, members) => {
      const bytes = decode(text, encoding)
      const secret =
        shared ?? wrap?.unwrap(decode(members?.get(keyMember) ?? '', encoding)) ?? Buffer.alloc(0)
      if (iv.place === 'prefix') {
        const start = bytes.subarray(0, ivBytes)
        return decrypt(algorithm, secret, start, bytes.subarray(ivBytes))
      }
      const start =
        iv.place === 'member' ? decode(members?.get(iv.member) ?? '', encoding) : constant
      return decrypt(algorithm, secret, start, bytes)
    },
    seal: (plain, members) => {
      const secret = shared ?? randomBytes(keyBytes)
      if (wrap !== undefined) members?.set(keyMember, encode(wrap.wrap(secret), encoding))
      const isFresh = iv.place === 'prefix' || iv.place === 'member'
      const start = isFresh ? freshIv(algorithm) : constant
      if (iv.place === 'member') members?.set(iv.member, encode(start, encoding))
      const bytes = encrypt(algorithm, secret, start, plain)
      return encode(iv.place === 'prefix' ? Buffer.concat([start, bytes]) : bytes, encoding)
    },
  }
}

/** HMAC (RFC 2104) with its key pads prepared once, over the one-shot hash. @module */
import { hash } from 'node:crypto'

const BLOCK = 64
const DIGEST = 32

/** Hash functions of keyed pseudonyms; both have 64-byte blocks and 32-byte digests. */
export type HmacAlgorithm = 'sha256' | 'sm3'

/** Computes a 32-byte tag. */
export type Hmac = (message: Uint8Array) => Buffer

/** Prepares a key: two one-shot hashes per tag cost less than one `createHmac`. */
export function createHmac(algorithm: HmacAlgorithm, key: Uint8Array): Hmac {
  const short = key.length > BLOCK ? hash(algorithm, key, 'buffer') : key
  const inner = Buffer.alloc(BLOCK, 0x36)
  const outer = Buffer.alloc(BLOCK + DIGEST, 0x5c)
  for (const [index, byte] of short.entries()) {
    inner[index] = byte ^ 0x36
    outer[index] = byte ^ 0x5c
  }
  return (message) => {
    // Asked for a Buffer, the one-shot hash takes three times as long.
    outer.write(hash(algorithm, Buffer.concat([inner, message]), 'hex'), BLOCK, 'hex')
    return Buffer.from(hash(algorithm, outer, 'hex'), 'hex')
  }
}

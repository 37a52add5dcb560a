/** HMAC (RFC 2104) with its key pads prepared once, over the one-shot hash. @module */
import { hash } from 'node:crypto'

const BLOCK = 64
const DIGEST = 32
/** Texts of up to so many bytes are hashed without making a buffer for each. */
const ROOM = 512
const CHARACTER_BYTES_MAX = 3

/** Hash functions for HMAC; both have 64-byte blocks and 32-byte digests. */
export type HmacAlgorithm = 'sha256' | 'sm3'

/** Computes a tag of 32 bytes, given out as text; a text's UTF-8 bytes are what is hashed. */
export type Hmac = (message: Uint8Array | string, encoding: 'base64url' | 'latin1') => string

/** What is hashed first, for short texts; it holds nothing between two calls that matters. */
const scratch = Buffer.alloc(BLOCK + ROOM)

/** Prepares a key: two one-shot hashes per tag cost a third of one `createHmac`. */
export function createHmac(algorithm: HmacAlgorithm, key: Uint8Array): Hmac {
  const short = key.length > BLOCK ? hash(algorithm, key, 'buffer') : key
  const inner = new Uint8Array(BLOCK).fill(0x36)
  const outer = Buffer.alloc(BLOCK + DIGEST, 0x5c)
  for (let index = 0; index < short.length; index++) {
    const byte = short[index] as number
    inner[index] = byte ^ 0x36
    outer[index] = byte ^ 0x5c
  }
  const prepare = (message: Uint8Array | string) => {
    if (typeof message !== 'string' || message.length * CHARACTER_BYTES_MAX > ROOM)
      return Buffer.concat([inner, Buffer.from(message as string)])
    scratch.set(inner)
    return scratch.subarray(0, BLOCK + scratch.write(message, BLOCK))
  }
  return (message, encoding) => {
    // Asked for a Buffer, the one-shot hash takes three times as long.
    outer.write(hash(algorithm, prepare(message), 'latin1'), BLOCK, 'latin1')
    return hash(algorithm, outer, encoding)
  }
}

/** A tag's bytes. */
export function tagBytes(tag: string): Buffer {
  return Buffer.from(tag, 'latin1')
}

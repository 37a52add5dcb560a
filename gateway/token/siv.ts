/** AES-SIV (RFC 5297), deterministic authenticated encryption, over one AES-ECB cipher object. @module */
import { createCipheriv, timingSafeEqual } from 'node:crypto'

const BLOCK = 16

/** Seals and opens under one key and one associated data string. */
export interface Siv {
  /** @returns the 16-byte synthetic IV, then the ciphertext. Equal inputs give equal outputs. */
  seal(plain: Uint8Array): Buffer
  /** @returns undefined when the text was not sealed under this key and associated data. */
  open(sealed: Uint8Array): Buffer | undefined
}

/**
 * Prepares a key: the cipher objects live as long as the result, since making one costs ten times
 * what encrypting a block does. What depends on key and associated data alone is computed here.
 *
 * @param key 32, 48 or 64 bytes; 64 are AES-256-SIV.
 */
export function createSiv(key: Uint8Array, associated: Uint8Array): Siv {
  const half = key.length / 2
  const cmac = createCmac(key.subarray(0, half))
  const counter = createBlockCipher(key.subarray(half))
  const header = double(cmac(new Uint8Array(BLOCK)))
  xorInto(header, cmac(associated), 0)
  const doubled = double(header)

  // RFC 5297 §2.4, S2V with one associated data string.
  const synthesize = (plain: Uint8Array): Buffer => {
    if (plain.length >= BLOCK) {
      const text = Buffer.from(plain)
      xorInto(text, header, text.length - BLOCK)
      return cmac(text)
    }
    const text = pad(plain)
    xorInto(text, doubled, 0)
    return cmac(text)
  }

  // RFC 5297 §2.5: two bits are cleared so that the counter never carries out of 31 bits.
  const crypt = (iv: Uint8Array, text: Uint8Array): Buffer => {
    if (text.length === 0) return Buffer.alloc(0)
    const blocks = Math.ceil(text.length / BLOCK)
    const counters = Buffer.allocUnsafe(blocks * BLOCK)
    for (let block = 0; block < blocks; block++) counters.set(iv, block * BLOCK)
    const low = counters.readUInt32BE(12) & 0x7fffffff
    for (let at = 0; at < counters.length; at += BLOCK) {
      counters.writeUInt8(counters.readUInt8(at + 8) & 0x7f, at + 8)
      counters.writeUInt32BE(low + at / BLOCK, at + 12)
    }
    const stream = counter(counters).subarray(0, text.length)
    xorInto(stream, text, 0)
    return stream
  }

  return {
    seal(plain) {
      const iv = synthesize(plain)
      return Buffer.concat([iv, crypt(iv, plain)])
    },
    open(sealed) {
      if (sealed.length < BLOCK) return undefined
      const iv = sealed.subarray(0, BLOCK)
      const plain = crypt(iv, sealed.subarray(BLOCK))
      return timingSafeEqual(synthesize(plain), iv) ? plain : undefined
    },
  }
}

/** AES over whole blocks. ECB is the bare permutation here; modes are built on top of it. */
export function createBlockCipher(key: Uint8Array): (blocks: Uint8Array) => Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false)
  return (blocks) => cipher.update(blocks)
}

/** AES-CMAC (RFC 4493). */
function createCmac(key: Uint8Array): (message: Uint8Array) => Buffer {
  const encrypt = createBlockCipher(key)
  const whole = double(encrypt(Buffer.alloc(BLOCK)))
  const partial = double(whole)
  return (message) => {
    const last = Math.max(0, Math.ceil(message.length / BLOCK) - 1) * BLOCK
    let state: Buffer = Buffer.alloc(BLOCK)
    for (let at = 0; at < last; at += BLOCK) {
      xorInto(state, message.subarray(at, at + BLOCK), 0)
      state = encrypt(state)
    }
    const tail = message.subarray(last)
    xorInto(state, tail.length === BLOCK ? tail : pad(tail), 0)
    xorInto(state, tail.length === BLOCK ? whole : partial, 0)
    return encrypt(state)
  }
}

/** Doubling in GF(2¹²⁸) (RFC 5297 §2.3). */
function double(block: Uint8Array): Buffer {
  const result = Buffer.alloc(BLOCK)
  let carry = 0
  for (let index = BLOCK - 1; index >= 0; index--) {
    const byte = block[index] ?? 0
    result[index] = (byte << 1) | carry
    carry = byte >>> 7
  }
  result[BLOCK - 1] = (result[BLOCK - 1] ?? 0) ^ (carry * 0x87)
  return result
}

/** 10* padding to one block. */
function pad(tail: Uint8Array): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.set(tail)
  block[tail.length] = 0x80
  return block
}

/** XORs `mask` into `target` from `offset` on. */
function xorInto(target: Uint8Array, mask: Uint8Array, offset: number): void {
  for (let index = 0; index < mask.length; index++) {
    target[offset + index] = (target[offset + index] ?? 0) ^ (mask[index] ?? 0)
  }
}

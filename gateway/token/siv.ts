/** AES-SIV (RFC 5297), deterministic authenticated encryption, over one AES-ECB cipher object. @module */
import { createCipheriv, timingSafeEqual } from 'node:crypto'

const BLOCK = 16

/** Seals and opens under one key and one associated data string. */
export interface Siv {
  /** @returns the 16-byte synthetic IV, then the ciphertext. Equal inputs give equal outputs. */
  seal(plain: Uint8Array): Buffer
  /** Seals many at once, for what costs is to ask for encryption. @returns one behind the other. */
  sealAll(plains: readonly Uint8Array[]): Buffer
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
  const header = double(cmac([new Uint8Array(BLOCK)]))
  xorInto(header, cmac([associated]), 0)
  const doubled = double(header)

  // RFC 5297 §2.4, S2V with one associated data string.
  const synthesize = (plains: readonly Uint8Array[]): Buffer =>
    cmac(
      plains.map((plain) => {
        const text = plain.length >= BLOCK ? Buffer.from(plain) : pad(plain)
        if (plain.length >= BLOCK) xorInto(text, header, text.length - BLOCK)
        else xorInto(text, doubled, 0)
        return text
      }),
    )

  // RFC 5297 §2.5: two bits are cleared so that the counter never carries out of 31 bits.
  const crypt = (ivs: Uint8Array, texts: readonly Uint8Array[]): Buffer => {
    const counters = Buffer.allocUnsafe(
      texts.reduce((sum, text) => sum + blocksOf(text), 0) * BLOCK,
    )
    let at = 0
    for (let index = 0; index < texts.length; index++) {
      const count = blocksOf(texts[index] as Uint8Array)
      for (let block = 0; block < count; block++, at += BLOCK) {
        for (let byte = 0; byte < BLOCK; byte++)
          counters[at + byte] = ivs[index * BLOCK + byte] as number
        counters[at + 8] = (counters[at + 8] as number) & 0x7f
        counters.writeUInt32BE((counters.readUInt32BE(at + 12) & 0x7fffffff) + block, at + 12)
      }
    }
    return counter(counters)
  }

  const sealAll = (plains: readonly Uint8Array[]): Buffer => {
    const ivs = synthesize(plains)
    const stream = crypt(ivs, plains)
    const sealed = Buffer.allocUnsafe(plains.reduce((sum, { length }) => sum + BLOCK + length, 0))
    let [at, block] = [0, 0]
    for (let index = 0; index < plains.length; index++) {
      const plain = plains[index] as Uint8Array
      for (let byte = 0; byte < BLOCK; byte++) sealed[at++] = ivs[index * BLOCK + byte] as number
      for (let byte = 0; byte < plain.length; byte++)
        sealed[at++] = (plain[byte] as number) ^ (stream[block * BLOCK + byte] as number)
      block += blocksOf(plain)
    }
    return sealed
  }

  return {
    seal: (plain) => sealAll([plain]),
    sealAll,
    open(sealed) {
      if (sealed.length < BLOCK) return undefined
      const iv = sealed.subarray(0, BLOCK)
      const text = sealed.subarray(BLOCK)
      const plain = crypt(iv, [text]).subarray(0, text.length)
      xorInto(plain, text, 0)
      return timingSafeEqual(synthesize([plain]), iv) ? plain : undefined
    },
  }
}

function blocksOf({ length }: Uint8Array): number {
  return Math.ceil(length / BLOCK)
}

/** AES over whole blocks. ECB is the bare permutation here; modes are built on top of it. */
export function createBlockCipher(key: Uint8Array): (blocks: Uint8Array) => Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false)
  return (blocks) => cipher.update(blocks)
}

/** AES-CMAC (RFC 4493) of many messages: each turn takes the next block of all that have one. */
function createCmac(key: Uint8Array): (messages: readonly Uint8Array[]) => Buffer {
  const encrypt = createBlockCipher(key)
  const whole = double(encrypt(Buffer.alloc(BLOCK)))
  const partial = double(whole)
  const lastOf = (message: Uint8Array) => Math.max(0, blocksOf(message) - 1)
  return (messages) => {
    const tags = Buffer.alloc(messages.length * BLOCK)
    const turns = messages.reduce((most, message) => Math.max(most, lastOf(message) + 1), 0)
    for (let turn = 0; turn < turns; turn++) {
      const taken: number[] = []
      const blocks = Buffer.allocUnsafe(messages.length * BLOCK)
      for (let index = 0; index < messages.length; index++) {
        const message = messages[index] as Uint8Array
        const last = lastOf(message)
        if (turn > last) continue
        const at = taken.push(index) * BLOCK - BLOCK
        const size = Math.min(BLOCK, message.length - turn * BLOCK)
        const mask = size === BLOCK ? whole : partial
        for (let byte = 0; byte < BLOCK; byte++) {
          // 10* padding to one block.
          const text =
            byte < size ? (message[turn * BLOCK + byte] as number) : byte === size ? 0x80 : 0
          const masked = turn === last ? text ^ (mask[byte] as number) : text
          blocks[at + byte] = masked ^ (tags[index * BLOCK + byte] as number)
        }
      }
      const states = encrypt(blocks.subarray(0, taken.length * BLOCK))
      for (let place = 0; place < taken.length; place++)
        states.copy(tags, (taken[place] as number) * BLOCK, place * BLOCK, (place + 1) * BLOCK)
    }
    return tags
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

/** FF1 format-preserving encryption (NIST SP 800-38G §5.1) of numbers below radixⁿ. @module */
import { createBlockCipher } from './siv.ts'
import { FF1_DOMAIN_MIN } from './limits.ts'

const BLOCK = 16
const ROUNDS = 10
/** Halves of up to so many bytes, all that identifiers need, are written without a detour by text. */
const SHORT = 4
const NO_TWEAK = new Uint8Array(0)

/** A permutation of the numbers from 0 to radixⁿ − 1, numerals most significant first. */
export interface Ff1 {
  encrypt(number: bigint): bigint
  decrypt(number: bigint): bigint
}

/**
 * Prepares a key for numerals of one radix and length, on a cipher object that lives as long as the result.
 *
 * @param key 16, 24 or 32 bytes.
 * @param radix 2 to 65,536.
 * @throws {RangeError} when radixⁿ is below 1,000,000: such a domain can be enumerated.
 */
export function createFf1(
  key: Uint8Array,
  radix: number,
  length: number,
  tweak: Uint8Array = NO_TWEAK,
): Ff1 {
  if (BigInt(radix) ** BigInt(length) < FF1_DOMAIN_MIN) {
    throw new RangeError(`an FF1 domain needs at least ${FF1_DOMAIN_MIN} values`)
  }
  const u = Math.floor(length / 2)
  const v = length - u
  const [evenModulus, oddModulus] = [BigInt(radix) ** BigInt(u), BigInt(radix) ** BigInt(v)]
  const round = createRound(createBlockCipher(key), { radix, length, u, oddModulus, tweak })
  return {
    encrypt(number) {
      let [a, b] = [number / oddModulus, number % oddModulus]
      for (let i = 0; i < ROUNDS; i++) {
        const modulus = i % 2 === 0 ? evenModulus : oddModulus
        ;[a, b] = [b, (a + round(i, b)) % modulus]
      }
      return a * oddModulus + b
    },
    decrypt(number) {
      let [a, b] = [number / oddModulus, number % oddModulus]
      for (let i = ROUNDS - 1; i >= 0; i--) {
        const modulus = i % 2 === 0 ? evenModulus : oddModulus
        // `%` keeps the sign of a negative difference.
        ;[a, b] = [(((b - round(i, a)) % modulus) + modulus) % modulus, a]
      }
      return a * oddModulus + b
    },
  }
}

interface Shape {
  readonly radix: number
  readonly length: number
  readonly u: number
  readonly oddModulus: bigint
  readonly tweak: Uint8Array
}

/** Steps 3 to 6v: y = NUM(S) for round i over one half. The block P never changes, so it is encrypted once. */
function createRound(
  encrypt: (blocks: Uint8Array) => Buffer,
  { radix, length, u, oddModulus, tweak }: Shape,
): (i: number, half: bigint) => bigint {
  const b = Math.ceil((oddModulus - 1n).toString(2).length / 8)
  const d = 4 * Math.ceil(b / 4) + 4
  const p = Buffer.from([1, 2, 1, radix >>> 16, radix >>> 8, radix, ROUNDS, u, ...Buffer.alloc(8)])
  p.writeUInt32BE(length, 8)
  p.writeUInt32BE(tweak.length, 12)
  const start = encrypt(p)
  const q = Buffer.alloc(Math.ceil((tweak.length + b + 1) / BLOCK) * BLOCK)
  q.set(tweak)
  const numeral = q.length - b
  return (i, half) => {
    q[numeral - 1] = i
    if (b <= SHORT) q.writeUIntBE(Number(half), numeral, b)
    else q.write(half.toString(16).padStart(2 * b, '0'), numeral, 'hex')
    let r = start
    for (let at = 0; at < q.length; at += BLOCK) r = encrypt(xorBlock(r, q, at))
    if (b <= SHORT) return r.readBigUInt64BE() // d is 8.
    if (d <= BLOCK) return BigInt(`0x${r.toString('hex', 0, d)}`)
    const blocks = [r]
    for (let j = 1; j < Math.ceil(d / BLOCK); j++) {
      const counter = Buffer.from(r)
      counter.writeUInt32BE((counter.readUInt32BE(12) ^ j) >>> 0, 12)
      blocks.push(encrypt(counter))
    }
    return BigInt(`0x${Buffer.concat(blocks).toString('hex', 0, d)}`)
  }
}

function xorBlock(block: Uint8Array, other: Uint8Array, offset: number): Buffer {
  const result = Buffer.allocUnsafe(BLOCK)
  for (let index = 0; index < BLOCK; index++) {
    result[index] = (block[index] ?? 0) ^ (other[offset + index] ?? 0)
  }
  return result
}

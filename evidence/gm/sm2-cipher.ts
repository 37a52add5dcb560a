/**
 * SM2 public key encryption (GB/T 32918.4, GM/T 0009): how Chinese partners wrap content keys.
 * node:crypto has it not: OpenSSL's is behind an interface that node does not call. The base point is
 * multiplied by OpenSSL; other points by a ladder of our own, blinded, since an attacker chooses
 * them and the scalar is a long-lived secret. @module
 */
import { createECDH, createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { parseDer, takeContent, takeInteger, takeParts, writeDer } from '../der.ts'
import {
  add,
  affine,
  coordinatesOf,
  double,
  integer,
  N,
  P,
  type Point,
  pointOf,
  publicPoint,
  readSm2Secret,
  toBytes,
  toNumber,
} from './sm2-curve.ts'

/** How the three parts stand: GM/T 0009 DER; GB/T 32918.4-2016; the draft of 2010 that still is met. */
export type Sm2Form = 'der' | 'c1c3c2' | 'c1c2c3'

/** Longest text: content keys are wrapped, never messages. */
const TEXT_BYTES_MAX = 1024
const POINT_BYTES = 65
const HASH_BYTES = 32

/**
 * Encrypts to a public key.
 *
 * @param spki SubjectPublicKeyInfo, DER.
 * @param text 1 to 1024 bytes.
 * @throws {Error} when it is no SM2 key, or the text has another length.
 */
export function sm2Encrypt(spki: Uint8Array, text: Uint8Array, form: Sm2Form): Buffer {
  if (text.length === 0 || text.length > TEXT_BYTES_MAX) throw new Error('expected a short text')
  const key = publicPoint(spki)
  let cipher: Parts | undefined
  while (cipher === undefined) {
    const nonce = createECDH('SM2')
    nonce.generateKeys()
    cipher = encryptWith(key, text, nonce.getPrivateKey())
  }
  return write(cipher, form)
}

/**
 * Decrypts. Whatever is wrong, the error is the same.
 *
 * @param pkcs8 the private key, DER.
 * @throws {Error} when the key is no SM2 key or the text was not made for it.
 */
export function sm2Decrypt(pkcs8: Uint8Array, bytes: Uint8Array, form: Sm2Form): Buffer {
  const { d } = readSm2Secret(pkcs8)
  const { point, hash, text } = read(Buffer.from(bytes), form)
  const { x, y } = coordinatesOf(ladder(affine(point.x, point.y), d))
  const plain = mask(text, x, y)
  // §7.1 B4: a stream of zeros would be no encryption.
  if (plain === undefined || !timingSafeEqual(digest(plain, x, y), hash)) {
    throw new Error('the text was not encrypted to this key')
  }
  return plain
}

/** C1, C3 and C2 of the standard. */
interface Parts {
  readonly point: { readonly x: bigint; readonly y: bigint }
  readonly hash: Buffer
  readonly text: Buffer
}

/**
 * GB/T 32918.4 §6.1, with the nonce given.
 *
 * @param nonce used once, secret, random.
 * @returns undefined when the nonce does not serve and another must be drawn.
 */
function encryptWith(key: Buffer, text: Uint8Array, nonce: Buffer): Parts | undefined {
  const ecdh = createECDH('SM2')
  ecdh.setPrivateKey(nonce)
  const { x, y } = coordinatesOf(ladder(pointOf(key), toNumber(nonce)))
  const masked = mask(text, x, y)
  if (masked === undefined) return undefined
  const { x: x1, y: y1 } = pointOf(ecdh.getPublicKey())
  return { point: { x: x1, y: y1 }, hash: digest(text, x, y), text: masked }
}

/** The standard's example fixes the nonce. Exported for it alone. */
export function sm2EncryptWith(
  spki: Uint8Array,
  text: Uint8Array,
  nonce: Buffer,
  form: Sm2Form,
): Buffer | undefined {
  const parts = encryptWith(publicPoint(spki), text, nonce)
  return parts && write(parts, form)
}

/** §5.4.3: the text under the stream KDF(x2 ‖ y2); undefined when that stream is all zeros. */
function mask(text: Uint8Array, x: bigint, y: bigint): Buffer | undefined {
  const seed = Buffer.concat([toBytes(x), toBytes(y)])
  const blocks: Buffer[] = []
  for (let count = 1; blocks.length * HASH_BYTES < text.length; count++) {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(count)
    blocks.push(createHash('sm3').update(seed).update(counter).digest())
  }
  const stream = Buffer.concat(blocks).subarray(0, text.length)
  if (stream.every((byte) => byte === 0)) return undefined
  return Buffer.from(text.map((byte, index) => byte ^ (stream[index] ?? 0)))
}

/** C3 = SM3(x2 ‖ M ‖ y2). */
function digest(text: Uint8Array, x: bigint, y: bigint): Buffer {
  return createHash('sm3').update(toBytes(x)).update(text).update(toBytes(y)).digest()
}

/**
 * scalar · point by a Montgomery ladder: the same steps for every scalar, which is moreover blinded
 * by a random multiple of the order, and the point by a random z. BigInt's own time remains.
 */
function ladder(point: Point, scalar: bigint): Point {
  const blinded = scalar + ((1n << 64n) | toNumber(randomBytes(8))) * N
  const z = (toNumber(randomBytes(40)) % (P - 1n)) + 1n
  const zz = (z * z) % P
  let low: Point = { x: (point.x * zz) % P, y: (((point.y * zz) % P) * z) % P, z }
  let high = double(low)
  for (const bit of blinded.toString(2).slice(1)) {
    const sum = add(low, high)
    const twice = double(bit === '0' ? low : high)
    low = bit === '0' ? twice : sum
    high = bit === '0' ? sum : twice
  }
  return low
}

function write({ point, hash, text }: Parts, form: Sm2Form): Buffer {
  if (form === 'der') {
    const numbers = [integer(point.x), integer(point.y)]
    return Buffer.from(writeDer(0x30, ...numbers, writeDer(0x04, hash), writeDer(0x04, text)))
  }
  const c1 = [Uint8Array.of(4), toBytes(point.x), toBytes(point.y)]
  return Buffer.concat(form === 'c1c3c2' ? [...c1, hash, text] : [...c1, text, hash])
}

/** @throws {Error} when it is not in this form, or C1 is not on the curve. */
function read(bytes: Buffer, form: Sm2Form): Parts {
  // Attacker-controlled: all of it.
  if (form === 'der') {
    const [x, y, hash, text] = takeParts(parseDer(bytes), 0x30, 4)
    const point = Buffer.concat([
      Uint8Array.of(4),
      toBytes(takeInteger(x)),
      toBytes(takeInteger(y)),
    ])
    return checked(
      point,
      Buffer.from(takeContent(hash, 0x04)),
      Buffer.from(takeContent(text, 0x04)),
    )
  }
  const rest = bytes.subarray(POINT_BYTES)
  const split = form === 'c1c3c2' ? HASH_BYTES : rest.length - HASH_BYTES
  if (split < 0) throw new Error('expected a whole ciphertext')
  const [first, second] = [rest.subarray(0, split), rest.subarray(split)]
  const [hash, text] = form === 'c1c3c2' ? [first, second] : [second, first]
  return checked(bytes.subarray(0, POINT_BYTES), hash, text)
}

/** §7.1 B1: a point off the curve would give the private key away, bit by bit. */
function checked(c1: Buffer, hash: Buffer, text: Buffer): Parts {
  const point = pointOf(c1)
  if (hash.length !== HASH_BYTES || text.length === 0 || text.length > TEXT_BYTES_MAX) {
    throw new Error('expected a short ciphertext')
  }
  return { point, hash, text }
}

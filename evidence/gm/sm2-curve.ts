/** The SM2 curve (GB/T 32918.5): its numbers, its points, and keys on it. @module */
import { createECDH } from 'node:crypto'
import { parseDer, takeContent, takeParts, writeDer } from '../der.ts'

/** The prime of GB/T 32918.5: the curve is y² = x³ + ax + b over p. */
export const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn
/** a of the curve. */
export const A = P - 3n
/** b of the curve. */
export const B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n
/** The order of the base point. */
export const N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n
/** x of the base point. */
export const GX = 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n
/** y of the base point. */
export const GY = 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n

/** id-ecPublicKey with the SM2 curve: what precedes the BIT STRING of every SM2 public key. */
const ALGORITHM = Buffer.from('301306072a8648ce3d020106082a811ccf5501822d', 'hex')

/**
 * The private scalar of an SM2 key, and its public point, uncompressed.
 *
 * @param pkcs8 DER.
 * @throws {Error} when it is no SM2 key.
 */
export function readSm2Secret(pkcs8: Uint8Array): { readonly d: bigint; readonly point: Buffer } {
  const [, algorithm, wrapped] = takeParts(parseDer(pkcs8), 0x30, 3, 4)
  if (algorithm === undefined || !ALGORITHM.equals(algorithm.raw)) throw new Error('expected SM2')
  const [, secret] = takeParts(parseDer(takeContent(wrapped, 0x04)), 0x30, 2, 4)
  const ecdh = createECDH('SM2')
  ecdh.setPrivateKey(Buffer.from(takeContent(secret, 0x04)))
  return { d: toNumber(ecdh.getPrivateKey()), point: ecdh.getPublicKey() }
}

/** SubjectPublicKeyInfo of an uncompressed point. */
export function sm2Spki(point: Uint8Array): Uint8Array {
  return writeDer(0x30, ALGORITHM, writeDer(0x03, Uint8Array.of(0), point))
}

/** The uncompressed point of an SM2 public key. @throws {Error} when it is not on the curve. */
export function publicPoint(spki: Uint8Array): Buffer {
  const [algorithm, bits] = takeParts(parseDer(spki), 0x30, 2)
  const point = Buffer.from(takeContent(bits, 0x03).subarray(1))
  if (algorithm === undefined || !ALGORITHM.equals(algorithm.raw)) {
    throw new Error('expected an SM2 public key')
  }
  pointOf(point)
  return point
}

/** Reads an uncompressed point. @throws {Error} when it is not on the curve. */
export function pointOf(bytes: Uint8Array): Point {
  if (bytes.length !== 65 || bytes[0] !== 4) throw new Error('expected an uncompressed point')
  const [x, y] = [toNumber(bytes.subarray(1, 33)), toNumber(bytes.subarray(33))]
  const onCurve = x < P && y < P && modulo(y * y - x * x * x - A * x - B, P) === 0n
  if (!onCurve) throw new Error('expected a point on the SM2 curve')
  return affine(x, y)
}

/** Jacobian coordinates: (x/z², y/z³); z = 0 is the point at infinity. */
export interface Point {
  readonly x: bigint
  readonly y: bigint
  readonly z: bigint
}

/** A point from its two coordinates. */
export const affine = (x: bigint, y: bigint): Point => ({ x, y, z: 1n })

/**
 * A point's two coordinates.
 *
 * @throws {Error} for the point at infinity.
 */
export function coordinatesOf({ x, y, z }: Point): { readonly x: bigint; readonly y: bigint } {
  if (z === 0n) throw new Error('the point at infinity')
  const inverse = power(z, P - 2n, P)
  const square = (inverse * inverse) % P
  return { x: (x * square) % P, y: (y * square * inverse) % P }
}

/** Takes time that depends on the scalar: public values only. @returns scalar · point */
export function multiply(point: Point, scalar: bigint): Point {
  let sum: Point = { x: 1n, y: 1n, z: 0n }
  for (const bit of scalar.toString(2)) {
    sum = double(sum)
    if (bit === '1') sum = add(sum, point)
  }
  return sum
}

/** As a = −3: 3x² + az⁴ = 3(x − z²)(x + z²). */
export function double({ x, y, z }: Point): Point {
  const zz = (z * z) % P
  const yy = (y * y) % P
  const slope = modulo(3n * (x - zz) * (x + zz), P)
  const xyy = (4n * x * yy) % P
  const x3 = modulo(slope * slope - 2n * xyy, P)
  return { x: x3, y: modulo(slope * (xyy - x3) - 8n * yy * yy, P), z: (2n * y * z) % P }
}

/** @returns a + b */
export function add(a: Point, b: Point): Point {
  if (a.z === 0n) return b
  if (b.z === 0n) return a
  const [az, bz] = [(a.z * a.z) % P, (b.z * b.z) % P]
  const x1 = (a.x * bz) % P
  const y1 = (a.y * bz * b.z) % P
  const dx = modulo(b.x * az - x1, P)
  const dy = modulo(b.y * az * a.z - y1, P)
  if (dx === 0n) return dy === 0n ? double(a) : { x: 1n, y: 1n, z: 0n }
  const dx2 = (dx * dx) % P
  const dx3 = (dx2 * dx) % P
  const x3 = modulo(dy * dy - dx3 - 2n * x1 * dx2, P)
  return { x: x3, y: modulo(dy * (x1 * dx2 - x3) - y1 * dx3, P), z: (a.z * b.z * dx) % P }
}

/** @returns base^exponent mod modulus */
export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus
    if (bit === '1') result = (result * base) % modulus
  }
  return result
}

/** @returns the value's rest, never negative. */
export function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus
  return rest < 0n ? rest + modulus : rest
}

/** Big-endian. */
export function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}

/** 32 bytes, big-endian. */
export function toBytes(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
}

/** INTEGER of a positive number below 2²⁵⁶. */
export function integer(number: bigint): Uint8Array {
  const bytes = toBytes(number)
  const start = bytes.findIndex((byte) => byte !== 0)
  const short = bytes.subarray(start)
  return writeDer(0x02, ...(((short[0] ?? 0) & 0x80) === 0 ? [] : [Uint8Array.of(0)]), short)
}

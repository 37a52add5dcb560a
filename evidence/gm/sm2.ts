/**
 * SM2 signatures with SM3 (GB/T 32918.2, GM/T 0009). node:crypto cannot make them: it has no way to
 * set the signer's id, so that no Chinese verifier accepts its signatures. It does lend its
 * multiplication of the base point, which keeps the secret scalars out of our arithmetic. @module
 */
import { createECDH, createHash, generateKeyPairSync } from 'node:crypto'
import { isEcdsaValue, parseDer, takeContent, takeInteger, takeParts, writeDer } from '../der.ts'
import type { Signer } from '../x509-issue.ts'

/** The signer's id that GM/T 0009 fixes where parties agree on none. */
export const SM2_DEFAULT_ID = '1234567812345678'

/** SM2 with SM3, as a signature algorithm. */
export const SM2_WITH_SM3 = '1.2.156.10197.1.501'

// GB/T 32918.5: the curve y² = x³ + ax + b over p, with base point G of order n.
const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn
const A = P - 3n
const B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n
const N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n
const GX = 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n
const GY = 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n

/** id-ecPublicKey with the SM2 curve: what precedes the BIT STRING of every SM2 public key. */
const ALGORITHM = Buffer.from('301306072a8648ce3d020106082a811ccf5501822d', 'hex')

/** A new private key, PKCS#8 DER. */
export function generateSm2Key(): Uint8Array {
  return generateKeyPairSync('ec', { namedCurve: 'SM2' }).privateKey.export({
    type: 'pkcs8',
    format: 'der',
  })
}

/**
 * A signer with the private key in memory.
 *
 * @param pkcs8 DER.
 * @throws {Error} when it is no SM2 key.
 */
export function sm2Signer(pkcs8: Uint8Array, id = SM2_DEFAULT_ID): Signer {
  const [, algorithm, wrapped] = takeParts(parseDer(pkcs8), 0x30, 3, 4)
  if (algorithm === undefined || !ALGORITHM.equals(algorithm.raw)) throw new Error('expected SM2')
  const [, secret] = takeParts(parseDer(takeContent(wrapped, 0x04)), 0x30, 2, 4)
  const ecdh = createECDH('SM2')
  ecdh.setPrivateKey(Buffer.from(takeContent(secret, 0x04)))
  const d = toNumber(ecdh.getPrivateKey())
  const point = ecdh.getPublicKey()
  return {
    spki: writeDer(0x30, ALGORITHM, writeDer(0x03, Uint8Array.of(0), point)),
    algorithm: SM2_WITH_SM3,
    sign: async (bytes) => {
      const e = digestWithId(point, bytes, id)
      let signature: Uint8Array | undefined
      while (signature === undefined) {
        const nonce = createECDH('SM2')
        nonce.generateKeys()
        signature = signDigest(d, e, nonce.getPrivateKey())
      }
      return signature
    },
  }
}

/**
 * GB/T 32918.2 §6.1, from step A4 on. Exported for the standard's example, which fixes `nonce`.
 *
 * @param nonce used once, secret, random.
 * @returns undefined when the nonce does not serve and another must be drawn.
 */
export function signDigest(d: bigint, e: bigint, nonce: Uint8Array): Uint8Array | undefined {
  const ecdh = createECDH('SM2')
  ecdh.setPrivateKey(Buffer.from(nonce))
  const k = toNumber(nonce)
  const r = (e + toNumber(ecdh.getPublicKey().subarray(1, 33))) % N
  if (r === 0n || r + k === N) return undefined
  const s = modulo(power(1n + d, N - 2n, N) * modulo(k - r * d, N), N)
  return s === 0n ? undefined : writeDer(0x30, integer(r), integer(s))
}

/**
 * Verifies a signature in DER. Never throws on hostile input.
 *
 * @param spki SubjectPublicKeyInfo, DER.
 */
export function sm2Verify(
  spki: Uint8Array,
  bytes: Uint8Array,
  signature: Uint8Array,
  id = SM2_DEFAULT_ID,
): boolean {
  try {
    const point = publicPoint(spki)
    if (!isEcdsaValue(signature)) return false
    const [r = 0n, s = 0n] = takeParts(parseDer(signature), 0x30, 2).map(takeInteger)
    const t = (r + s) % N
    if (r === 0n || r >= N || s === 0n || s >= N || t === 0n) return false
    const key = affine(toNumber(point.subarray(1, 33)), toNumber(point.subarray(33)))
    const sum = add(multiply(affine(GX, GY), s), multiply(key, t))
    if (sum.z === 0n) return false
    const x = modulo(sum.x * power(sum.z, P - 3n, P), P) // z⁻² = z^(p−3)
    return (digestWithId(point, bytes, id) + x) % N === r
  } catch {
    return false // Not DER, or not a point of the curve.
  }
}

/** §5.5 and §6.1 A1–A2: e = SM3(ZA ‖ M), where ZA binds the signer's id and key. */
function digestWithId(point: Buffer, bytes: Uint8Array, id: string): bigint {
  const name = Buffer.from(id)
  const za = createHash('sm3')
    .update(Uint8Array.of((name.length * 8) >> 8, (name.length * 8) & 0xff))
    .update(name)
  for (const number of [A, B, GX, GY]) za.update(toBytes(number))
  za.update(point.subarray(1))
  return toNumber(createHash('sm3').update(za.digest()).update(bytes).digest())
}

/** The uncompressed point of an SM2 public key. @throws {Error} when it is not on the curve. */
function publicPoint(spki: Uint8Array): Buffer {
  const [algorithm, bits] = takeParts(parseDer(spki), 0x30, 2)
  const point = Buffer.from(takeContent(bits, 0x03).subarray(1))
  const [x, y] = [toNumber(point.subarray(1, 33)), toNumber(point.subarray(33))]
  const fits = algorithm !== undefined && ALGORITHM.equals(algorithm.raw)
  const onCurve = x < P && y < P && modulo(y * y - x * x * x - A * x - B, P) === 0n
  if (!fits || point.length !== 65 || point[0] !== 4 || !onCurve) {
    throw new Error('expected an SM2 public key')
  }
  return point
}

/** Jacobian coordinates: (x/z², y/z³); z = 0 is the point at infinity. Public values only. */
interface Point {
  readonly x: bigint
  readonly y: bigint
  readonly z: bigint
}

const affine = (x: bigint, y: bigint): Point => ({ x, y, z: 1n })

function multiply(point: Point, scalar: bigint): Point {
  let sum: Point = { x: 1n, y: 1n, z: 0n }
  for (const bit of scalar.toString(2)) {
    sum = double(sum)
    if (bit === '1') sum = add(sum, point)
  }
  return sum
}

/** As a = −3: 3x² + az⁴ = 3(x − z²)(x + z²). */
function double({ x, y, z }: Point): Point {
  const zz = (z * z) % P
  const yy = (y * y) % P
  const slope = modulo(3n * (x - zz) * (x + zz), P)
  const xyy = (4n * x * yy) % P
  const x3 = modulo(slope * slope - 2n * xyy, P)
  return { x: x3, y: modulo(slope * (xyy - x3) - 8n * yy * yy, P), z: (2n * y * z) % P }
}

function add(a: Point, b: Point): Point {
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

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus
    if (bit === '1') result = (result * base) % modulus
  }
  return result
}

function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus
  return rest < 0n ? rest + modulus : rest
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}

function toBytes(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
}

/** INTEGER of a positive number below 2²⁵⁶. */
function integer(number: bigint): Uint8Array {
  const bytes = toBytes(number)
  const start = bytes.findIndex((byte) => byte !== 0)
  const short = bytes.subarray(start)
  return writeDer(0x02, ...(((short[0] ?? 0) & 0x80) === 0 ? [] : [Uint8Array.of(0)]), short)
}

/**
 * SM2 signatures with SM3 (GB/T 32918.2, GM/T 0009). node:crypto cannot make them: it has no way to
 * set the signer's id, so that no Chinese verifier accepts its signatures. It does lend its
 * multiplication of the base point, which keeps the secret scalars out of our arithmetic. @module
 */
import { createECDH, generateKeyPairSync } from 'node:crypto'
import { sm3 } from '../crypto.ts'
import { concat, isEcdsaValue, parseDer, takeInteger, takeParts, writeDer } from '../der.ts'
import type { Signer } from '../x509-issue.ts'
import {
  A,
  add,
  affine,
  B,
  GX,
  GY,
  integer,
  modulo,
  multiply,
  N,
  P,
  pointOf,
  power,
  publicPoint,
  readSm2Secret,
  sm2Spki,
  toBytes,
  toNumber,
} from './sm2-curve.ts'

/** Of a number of the curve. */
const NUMBER_OCTETS = 32

/** The signer's id that GM/T 0009 fixes where parties agree on none. */
export const SM2_DEFAULT_ID = '1234567812345678'

/** SM2 with SM3, as a signature algorithm. */
export const SM2_WITH_SM3 = '1.2.156.10197.1.501'
/** SM2 signing as a key algorithm: some vendors write it where the signature algorithm belongs. */
export const SM2_SIGN = '1.2.156.10197.1.301.1'

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
  const { d, point } = readSm2Secret(pkcs8)
  return {
    spki: sm2Spki(point),
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
    if (!isEcdsaValue(signature, NUMBER_OCTETS)) return false
    const [r = 0n, s = 0n] = takeParts(parseDer(signature), 0x30, 2).map(takeInteger)
    const t = (r + s) % N
    if (r === 0n || r >= N || s === 0n || s >= N || t === 0n) return false
    const sum = add(multiply(affine(GX, GY), s), multiply(pointOf(point), t))
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
  const bits = Uint8Array.of((name.length * 8) >> 8, (name.length * 8) & 0xff)
  const curve = [A, B, GX, GY].map((number) => toBytes(number))
  const za = sm3(concat([bits, name, ...curve, point.subarray(1)]))
  return toNumber(sm3(concat([za, bytes])))
}

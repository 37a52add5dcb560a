/** Reads the key files of envelopes. Errors never quote a file. @module */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { JWK } from 'jose'
import { parseStrictJson } from '../../base/strict-json.ts'
import { publicPoint, readSm2Secret } from '../../evidence/gm/sm2-curve.ts'
import { readPem } from '../../evidence/pem.ts'
import { RSA_BITS_MIN, SECRET_BYTES_MAX, SECRET_BYTES_MIN } from './limits.ts'

/**
 * A secret that both sides hold: one line, `hex:…`, `base64:…` or `text:…`.
 *
 * @param size bytes, when there is but one that fits.
 * @throws {Error} when it is none of these, or has another size.
 */
export function readSecret(text: string, size?: number): Buffer {
  const [, form, value = ''] = /^(hex|base64|text):([^\r\n]+)\r?\n?$/.exec(text) ?? []
  const encoding = form === 'text' ? 'utf8' : (form as 'hex' | 'base64' | undefined)
  if (encoding === undefined) throw new TypeError('no secret')
  const bytes = Buffer.from(value, encoding)
  const isWhole = bytes.toString(encoding) === (encoding === 'hex' ? value.toLowerCase() : value)
  const fits =
    size === undefined
      ? bytes.length >= SECRET_BYTES_MIN && bytes.length <= SECRET_BYTES_MAX
      : bytes.length === size
  if (!isWhole || !fits) throw new TypeError('no secret of this size')
  return bytes
}

/** @throws {Error} when it is no RSA key of enough bits. */
export function readRsaPrivate(text: string): KeyObject {
  return checkRsa(createPrivateKey(text))
}

/** From a public key or a certificate, in PEM. @throws {Error} when it is no RSA key of enough bits. */
export function readRsaPublic(text: string): KeyObject {
  if (text.includes('PRIVATE KEY')) throw new TypeError('a private key')
  return checkRsa(createPublicKey(text))
}

function checkRsa(key: KeyObject): KeyObject {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.asymmetricKeyType !== 'rsa' || bits < RSA_BITS_MIN) throw new TypeError('no such RSA key')
  return key
}

/** PKCS#8 DER from PEM. @throws {Error} when it is no SM2 key. */
export function readSm2Private(text: string): Uint8Array {
  const [der = new Uint8Array()] = readPem(text, 'PRIVATE KEY')
  readSm2Secret(der)
  return der
}

/** SubjectPublicKeyInfo DER from PEM. @throws {Error} when it is no SM2 key. */
export function readSm2Public(text: string): Uint8Array {
  const [der = new Uint8Array()] = readPem(text, 'PUBLIC KEY')
  publicPoint(der)
  return der
}

/** A private JWK. @throws {Error} when it is none. */
export function readJwkPrivate(text: string): JWK {
  const jwk = readJwk(text)
  createPrivateKey({ key: jwk as never, format: 'jwk' })
  return jwk
}

/** A public JWK. @throws {Error} when it is none, or holds the private half too. */
export function readJwkPublic(text: string): JWK {
  const jwk = readJwk(text)
  if (jwk.d !== undefined) throw new TypeError('a private key')
  createPublicKey({ key: jwk as never, format: 'jwk' })
  return jwk
}

function readJwk(text: string): JWK {
  const jwk = parseStrictJson(Buffer.from(text))
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) throw new TypeError('no JWK')
  return jwk
}

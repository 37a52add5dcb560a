/** Sealing: a payload becomes a JWS (RFC 7515 compact, ES256), and reading one back strictly. @module */
import { X509Certificate, sign, type KeyObject } from 'node:crypto'
import { fromBase64url, toBase64url } from '../base/base64url.ts'
import { Problem } from '../base/problem.ts'
import { sha256 } from './crypto.ts'
import { RECORD_CHARS_MAX } from './limits.ts'
import type { JsonObject } from './draft.ts'
import type { TokenKey } from './pkcs11/token.ts'

/** An instance's short-lived seal key with the certificate that names it. */
export interface SealKey {
  /** P-256 (ES256), in memory or in a PKCS#11 token. */
  readonly privateKey: KeyObject | TokenKey
  readonly certificateDer: Uint8Array
  /** The way up: issuing authority, root. */
  readonly chainDer?: readonly Uint8Array[]
  /** From then on the next key is asked for; after `notAfter` this one seals nothing. */
  readonly renewAt?: Date
  readonly notAfter?: Date
}

/** Signs payloads. `iat` is the time of sealing, whole seconds since the Unix epoch. */
export type Sealer = (payload: string, iat: number) => string

/** `prev` of an instance's first record: no JWS has this digest. */
export const FIRST_PREV = toBase64url(Buffer.alloc(32))

/**
 * Binds a key for sealing. Signs synchronously with node:crypto: at 50 µs a record the thread pool
 * and a JOSE library would cost as much again. ECDSA is randomised, so each payload is sealed once.
 *
 * @throws {Problem} `key-unusable` when key and certificate do not belong together.
 */
export function createSealer(key: SealKey): Sealer {
  const { certificateDer } = key
  const signInput = bindSigner(key)
  const thumbprint = toBase64url(sha256(certificateDer))
  let header = { iat: Number.NaN, text: '' }
  return (payload, iat) => {
    if (header.iat !== iat) {
      const json = `{"alg":"ES256","iat":${iat},"typ":"evr+jwt","x5t#S256":"${thumbprint}"}`
      header = { iat, text: toBase64url(json) }
    }
    const input = `${header.text}.${toBase64url(payload)}`
    return `${input}.${signInput(Buffer.from(input, 'latin1')).toString('base64url')}`
  }
}

/** What makes r ‖ s over bytes, after a look whether the certificate is the key's. */
function bindSigner({ privateKey, certificateDer }: SealKey): (bytes: Buffer) => Buffer {
  const certificate = new X509Certificate(certificateDer)
  const misfit = new Problem('key-unusable', 'the seal key does not fit its certificate')
  if ('sign' in privateKey) {
    const own = certificate.publicKey.export({ format: 'der', type: 'spki' })
    if (!own.equals(privateKey.spki)) throw misfit
    return privateKey.sign
  }
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Problem('key-unusable', 'the seal key is not a P-256 key')
  }
  if (!certificate.checkPrivateKey(privateKey)) throw misfit
  const options = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  return (bytes) => sign('sha256', bytes, options)
}

/** What identifies a record everywhere: base64url SHA-256 of its JWS as transmitted. */
export function recordDigest(jws: string): string {
  return toBase64url(sha256(jws))
}

/** A record taken apart; nothing in it is verified yet. */
export interface ReadRecord {
  readonly header: SealHeader
  readonly payload: JsonObject & RecordIdentity
  /** What the signature covers, ASCII. */
  readonly signingInput: string
  /** r ‖ s, 64 bytes. */
  readonly signature: Buffer
}

/** The protected header: exactly these members, in this order. */
export interface SealHeader {
  readonly alg: 'ES256'
  readonly iat: number
  readonly typ: 'evr+jwt'
  readonly 'x5t#S256': string
}

/** The members that every record has. */
export interface RecordIdentity {
  readonly v: 1
  readonly kind: string
  readonly rid: string
  readonly instance: string
  readonly seq: number
  readonly prev: string
  readonly _sd: readonly string[]
}

/**
 * Takes a record apart, accepting one spelling only: canonical base64url, the fixed header. Any
 * other text that verified would give one record two digests.
 *
 * @throws {Problem} `job-invalid` naming what is wrong.
 */
export function readRecord(jws: string): ReadRecord {
  // Attacker-controlled: everything here, until the signature is verified.
  const segments = jws.length <= RECORD_CHARS_MAX ? jws.split('.') : []
  const [head, body, tail] = segments
  if (segments.length !== 3 || head === undefined || body === undefined || tail === undefined) {
    throw new Problem('job-invalid', 'a record has three segments')
  }
  const header = readHeader(fromBase64url(head, 'job-invalid').toString('latin1'))
  const payload = readPayload(fromBase64url(body, 'job-invalid'))
  const signature = fromBase64url(tail, 'job-invalid')
  if (signature.length !== 64) throw new Problem('job-invalid', 'an ES256 signature has 64 bytes')
  return { header, payload, signingInput: `${head}.${body}`, signature }
}

const HEADER =
  /^\{"alg":"ES256","iat":(0|[1-9][0-9]{0,15}),"typ":"evr\+jwt","x5t#S256":"([A-Za-z0-9_-]{43})"\}$/

function readHeader(text: string): SealHeader {
  const [, iat, thumbprint] = HEADER.exec(text) ?? []
  if (iat === undefined || thumbprint === undefined) {
    throw new Problem('job-invalid', 'a record\'s header is not exactly `alg`, `iat`, `typ`, `x5t#S256`') // prettier-ignore
  }
  return { alg: 'ES256', iat: Number(iat), typ: 'evr+jwt', 'x5t#S256': thumbprint }
}

function readPayload(bytes: Buffer): JsonObject & RecordIdentity {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (cause) {
    throw new Problem('job-invalid', 'a record\'s payload is not JSON', { cause }) // prettier-ignore
  }
  if (!isRecordPayload(value)) {
    throw new Problem('job-invalid', 'a record needs `v`: 1, `kind`, `rid`, `instance`, `seq`, `prev` and `_sd`') // prettier-ignore
  }
  return value
}

function isRecordPayload(value: unknown): value is JsonObject & RecordIdentity {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { v, kind, rid, instance, seq, prev, _sd } = value as Record<string, unknown>
  const texts = [kind, rid, instance, prev, ...(Array.isArray(_sd) ? _sd : [undefined])]
  return v === 1 && Number.isSafeInteger(seq) && texts.every((text) => typeof text === 'string')
}

/**
 * Verifies compact JWS of callers (RFC 7515 §5.2) on the spot. jose finds the key; its verification by
 * WebCrypto goes through the thread pool, which costs as much again as the signature. @module
 */
import { KeyObject, constants, verify } from 'node:crypto'
import type { CryptoKey } from 'jose'
import { fromBase64url } from '../../base/base64url.ts'
import { Problem } from '../../base/problem.ts'
import type { KeyFinder } from './keys.ts'

/** RSA keys below this are refused (RFC 7518 §3.3). */
const RSA_BITS_MIN = 2048

type Check = (input: Buffer, key: KeyObject, signature: Buffer) => boolean

/** `alg` → what checks it. `EdDSA` is the older name of `Ed25519`; both are in use. */
const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  [
    'ES256',
    (input, key, signature) =>
      verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, signature),
  ],
  ['Ed25519', (input, key, signature) => verify(null, input, key, signature)],
  ['EdDSA', (input, key, signature) => verify(null, input, key, signature)],
  [
    'PS256',
    (input, key, signature) => {
      const padding = constants.RSA_PKCS1_PSS_PADDING
      return verify('sha256', input, { key, padding, saltLength: 32 }, signature)
    },
  ],
  ['RS256', (input, key, signature) => verify('sha256', input, key, signature)],
])

/** What a JWS says, once its signature has been found right. */
export interface VerifiedJws {
  readonly payload: Readonly<Record<string, unknown>>
  readonly key: CryptoKey
}

/**
 * Verifies a signature and reads the payload.
 *
 * @throws {Problem} `credentials-invalid`; errors of `keys` pass through.
 */
export async function verifyJws(token: string, keys: KeyFinder): Promise<VerifiedJws> {
  const [head, body, tail, ...more] = token.split('.')
  if (head === undefined || body === undefined || tail === undefined || more.length > 0)
    throw invalid('expected a signed JWT in compact form')
  // Attacker-controlled: all of it, until the signature has been verified.
  const { alg, kid, ...header } = readObject(head)
  const check = typeof alg === 'string' ? CHECKS.get(alg) : undefined
  if (typeof alg !== 'string' || check === undefined)
    throw invalid(`expected \`alg\` ${[...CHECKS.keys()].join(', ')}`)
  if (kid !== undefined && typeof kid !== 'string') throw invalid('expected `kid` as a string')
  // RFC 7515 §4.1.11: no extension is understood here.
  if ('crit' in header || 'b64' in header) throw invalid('a critical header is not supported')
  const signature = fromBase64url(tail, 'credentials-invalid')
  const key = await keys({ alg, ...(kid === undefined ? {} : { kid }) })
  const input = Buffer.from(token.slice(0, head.length + 1 + body.length), 'latin1')
  if (!check(input, keyObjectOf(key), signature)) throw invalid('the signature does not verify')
  return { payload: readObject(body), key }
}

const objects = new WeakMap<CryptoKey, KeyObject>()

/** A key as node:crypto's one-shot functions take it; made once per key. */
export function keyObjectOf(key: CryptoKey): KeyObject {
  const known = objects.get(key)
  if (known !== undefined) return known
  const made = KeyObject.from(key as Parameters<typeof KeyObject.from>[0])
  const { modulusLength = RSA_BITS_MIN } = made.asymmetricKeyDetails ?? {}
  if (modulusLength < RSA_BITS_MIN) throw invalid(`the RSA key has less than ${RSA_BITS_MIN} bits`)
  objects.set(key, made)
  return made
}

function readObject(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(fromBase64url(part, 'credentials-invalid').toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch (cause) {
    throw invalid('expected a signed JWT in compact form', cause)
  }
  throw invalid('expected a signed JWT in compact form')
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('credentials-invalid', detail, cause === undefined ? {} : { cause })
}

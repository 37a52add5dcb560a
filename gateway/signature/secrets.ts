/** Secrets that the gateway shares with one party, for `hmac-sha256` (RFC 9421 §3.3.3): a JWK set of `oct` keys. @module */
import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { fromBase64url } from '../../base/base64url.ts'
import { createHmac, type Hmac, tagBytes } from '../../base/hmac.ts'
import { ConfigFault } from '../fault.ts'
import { SIGNATURE_LIMITS } from './limits.ts'

/** One shared secret. */
export interface SharedSecret {
  readonly kid: string
  /** RFC 7638: names the secret without telling it. */
  readonly thumbprint: string
  readonly hmac: Hmac
}

/**
 * Reads a set; the first one signs.
 *
 * @throws {TypeError} for anything but `oct` keys of enough bytes, each with a `kid` of its own.
 */
export function parseSecrets(text: string): readonly SharedSecret[] {
  const { keys } = JSON.parse(text) as { keys?: unknown }
  if (!Array.isArray(keys) || keys.length === 0) throw new TypeError('no keys')
  const secrets = keys.map(parseSecret)
  if (new Set(secrets.map(({ kid }) => kid)).size < secrets.length)
    throw new TypeError('a kid twice')
  return secrets
}

function parseSecret(value: unknown): SharedSecret {
  const { kty, kid, k } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (kty !== 'oct' || typeof kid !== 'string' || typeof k !== 'string' || !/^[\w.-]+$/.test(kid))
    throw new TypeError('not an `oct` key with a `kid`')
  const bytes = fromBase64url(k)
  if (bytes.length < SIGNATURE_LIMITS.SECRET_BYTES_MIN) throw new TypeError('too short')
  const thumbprint = createHash('sha256').update(`{"k":"${k}","kty":"oct"}`).digest('base64url')
  return { kid, thumbprint, hmac: createHmac('sha256', bytes) }
}

/** Opens a file of secrets. @throws {ConfigFault} when others can read it, or it holds something else. */
export function openSecrets(file: string): readonly SharedSecret[] {
  const help = `expected a JWK set of secrets (\`{"keys":[{"kty":"oct","kid":…,"k":…}]}\`), mode 0600`
  try {
    if ((statSync(file).mode & 0o077) === 0) return parseSecrets(readFileSync(file, 'utf8'))
  } catch {
    throw new ConfigFault(file, help) // Without the cause: it may quote the secret.
  }
  throw new ConfigFault(file, `others can read the secrets; chmod 600 ${file}`)
}

/** HMAC-SHA-256 of a signature base. */
export function macOf({ hmac }: SharedSecret, base: string): Buffer {
  return tagBytes(hmac(base, 'latin1'))
}

/** Whether a MAC is right, in constant time. */
export function verifyMac(secret: SharedSecret, base: string, mac: Uint8Array): boolean {
  const right = macOf(secret, base)
  return mac.length === right.length && timingSafeEqual(right, mac)
}

/** Salted commitments to values (RFC 9901 disclosures), with salts that are derived and never stored. @module */
import { fromBase64url, toBase64url } from '../base/base64url.ts'
import { hmacSha256, sha256Text } from './crypto.ts'
import { COMMITMENTS_MULTIPLE, DISCLOSURE_CHARS_MAX } from './limits.ts'
import type { Claim } from './record.ts'

/**
 * Gives the secret from which all salts of one record are derived. Whoever holds it can test guesses
 * of the record's values, so it never leaves the process; destroying its source ends openability.
 */
export interface RecordSecrets {
  /** 32 bytes; the same for the same record as long as the source lives. */
  secretOf(rid: string): Buffer
}

/** Record secrets derived from one commitment key of 32 bytes: HMAC-SHA-256(key, rid). */
export function derivedSecrets(key: Buffer): RecordSecrets {
  const secret = hmacSha256(key)
  return { secretOf: (rid) => Buffer.from(secret(rid), 'base64url') }
}

/** The salt of one claim: HMAC-SHA-256(record secret, name), 32 bytes in base64url. */
export function saltOf(secret: Buffer, name: string): string {
  return hmacSha256(secret)(name)
}

/** The disclosure `[salt, name, value]` of RFC 9901 §4.2.1; `json` is the value's JSON text. */
export function makeDisclosure(salt: string, name: string, json: string): string {
  return toBase64url(`["${salt}",${JSON.stringify(name)},${json}]`)
}

/** What stands in `_sd` (RFC 9901 §4.2.3): SHA-256 over the disclosure as transmitted. */
export function disclosureDigest(disclosure: string): string {
  return sha256Text(disclosure)
}

/**
 * Gives each claim a name of its own. One that was `taken` before gets `#2`, `#3`, …: two values
 * under one name would share a salt, and RFC 9901 §7.1 refuses a repeated name.
 *
 * @param taken names of this record so far; the new ones are added.
 */
export function nameClaims(claims: readonly Claim[], taken: Set<string>): readonly Claim[] {
  return claims.map((claim) => {
    let name = claim.name
    for (let count = 2; taken.has(name); count++) name = `${claim.name}#${count}`
    taken.add(name)
    return name === claim.name ? claim : { name, json: claim.json }
  })
}

/** Digests claims, whose names must be unique in their record. */
export function commit(secret: Buffer, claims: readonly Claim[]): string[] {
  const salt = hmacSha256(secret)
  return claims.map(({ name, json }) => disclosureDigest(makeDisclosure(salt(name), name, json)))
}

/**
 * Sorts commitments and fills them up with decoys (RFC 9901 §4.2.5) to a multiple of 8: neither
 * order nor number tells which fields an exchange had.
 */
export function withDecoys(
  digests: readonly string[],
  random: (size: number) => Buffer,
): readonly string[] {
  const missing = (COMMITMENTS_MULTIPLE - (digests.length % COMMITMENTS_MULTIPLE)) % 8
  const decoys = missing === 0 ? Buffer.alloc(0) : random(32 * missing)
  const padding = Array.from({ length: missing }, (_, index) =>
    sha256Text(decoys.toString('base64url', 32 * index, 32 * index + 32)),
  )
  return [...digests, ...padding].sort()
}

/**
 * Opens one claim for somebody who knows its value, and no other claim.
 *
 * @param sd the record's `_sd`.
 * @param json the value's JSON text in its original spelling.
 * @returns the disclosure, or undefined when the record commits to no such value.
 */
export function openClaim(
  secret: Buffer,
  sd: readonly string[],
  name: string,
  json: string,
): string | undefined {
  const disclosure = makeDisclosure(saltOf(secret, name), name, json)
  return sd.includes(disclosureDigest(disclosure)) ? disclosure : undefined
}

/** A disclosure that belongs to a record; `json` keeps the spelling that was committed to. */
export interface OpenedClaim {
  readonly salt: string
  readonly name: string
  readonly json: string
}

const STRING = String.raw`"(?:[^"\\]|\\.)*"`
const SALT_AND_NAME = new RegExp(String.raw`^\s*\[\s*${STRING}\s*,\s*${STRING}\s*,`)
const RESERVED_NAMES = ['_sd', '...']

/** Reads a disclosure and looks its digest up in `_sd`; undefined when it is not one of this record. */
export function verifyDisclosure(
  disclosure: string,
  sd: readonly string[],
): OpenedClaim | undefined {
  // Attacker-controlled: all of it, until its digest is found.
  if (disclosure.length > DISCLOSURE_CHARS_MAX) return undefined
  if (!sd.includes(disclosureDigest(disclosure))) return undefined
  try {
    const bytes = fromBase64url(disclosure)
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const parts: unknown = JSON.parse(text)
    const head = SALT_AND_NAME.exec(text)?.[0]
    if (!Array.isArray(parts) || parts.length !== 3 || head === undefined) return undefined
    const [salt, name]: unknown[] = parts
    if (typeof salt !== 'string' || typeof name !== 'string') return undefined
    if (RESERVED_NAMES.includes(name)) return undefined // RFC 9901 §7.1 step 3.
    return { salt, name, json: text.slice(head.length, text.lastIndexOf(']')).trim() }
  } catch {
    return undefined // Not base64url, UTF-8 or JSON: no disclosure, whatever its digest.
  }
}

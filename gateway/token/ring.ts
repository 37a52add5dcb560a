/** The key ring: versions of the master key from which every domain key is derived. @module */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { fromBase64url, toBase64url } from '../../base/base64url.ts'
import { Problem } from '../../base/problem.ts'
import { KEY_VERSIONS_MAX } from './limits.ts'

/** One version of the master key. */
export interface MasterKey {
  readonly version: number
  /** A label such as `2026-Q4`; a new version always opens a new epoch. */
  readonly epoch: string
  readonly key: KeyObject
}

/** What the ring file says of a version; a retired one has no key any more. */
export interface KeyVersion {
  readonly version: number
  readonly epoch: string
  /** RFC 3339. */
  readonly created: string
  readonly key?: KeyObject
}

/** INVARIANT: versions ascend by one from 1; those from `minimumAccepted` on, and only those, have a key. */
export interface KeyRing {
  readonly versions: readonly KeyVersion[]
  /** Tokens of older versions are refused. */
  readonly minimumAccepted: number
  /** The newest version: makes tokens. */
  readonly current: MasterKey
  /** The oldest version that still reveals: makes format-preserving tokens, which carry no version. */
  readonly oldest: MasterKey
  /** Keys the link pseudonyms of evidence records; it does not rotate, so that a case holds together. */
  readonly links: KeyObject
  /** @returns undefined when the version is unknown or retired. */
  find(version: number): MasterKey | undefined
}

/** Where a key stands in its life. */
export type KeyState = 'current' | 'accepted' | 'retired'

const FORMAT = 'sealgate-key-ring/1'
const KEY_BYTES = 32

/** Lists the versions, oldest first, without their keys. */
export function listKeys(
  ring: KeyRing,
): readonly { version: number; epoch: string; created: string; state: KeyState }[] {
  return ring.versions.map(({ version, epoch, created }) => {
    const accepted = version === ring.current.version ? 'current' : 'accepted'
    return { version, epoch, created, state: version < ring.minimumAccepted ? 'retired' : accepted }
  })
}

/** Makes a ring in memory with random keys: what policy tests use. */
export function throwawayKeyRing(): KeyRing {
  const key = createSecretKey(randomBytes(KEY_BYTES))
  const links = createSecretKey(randomBytes(KEY_BYTES))
  return createRing(
    [{ version: 1, epoch: 'e1', created: new Date(0).toISOString(), key }],
    1,
    links,
  )
}

/** Builds a ring from its parts. */
export function createRing(
  versions: readonly KeyVersion[],
  minimumAccepted: number,
  links: KeyObject,
): KeyRing {
  const masters = new Map<number, MasterKey>()
  for (const { version, epoch, key } of versions) {
    if (key !== undefined) masters.set(version, { version, epoch, key })
  }
  const oldest = masters.get(minimumAccepted)
  const current = masters.get(versions.length)
  if (oldest === undefined || current === undefined) {
    throw new Problem('key-unusable', 'the key ring has no key for its accepted versions')
  }
  const find = (version: number) => masters.get(version)
  return { versions, minimumAccepted, current, oldest, links, find }
}

/** Renders the ring's file. The result is a secret. */
export function formatRing({ versions, minimumAccepted, links }: KeyRing): string {
  const rows = versions.map(({ key, ...row }) =>
    key === undefined ? row : { ...row, key: toBase64url(key.export()) },
  )
  const file = {
    format: FORMAT,
    minimumAccepted,
    links: toBase64url(links.export()),
    versions: rows,
  }
  return JSON.stringify(file, null, 2) + '\n'
}

/**
 * Parses a ring's file; it accepts only the spelling that `formatRing` writes.
 *
 * @throws {Problem} `key-unusable`; the detail quotes nothing of the file.
 */
export function parseRing(text: string): KeyRing {
  const fail = (detail: string): never => {
    throw new Problem('key-unusable', `the key ring ${detail}`)
  }
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    return fail('is not JSON') // The parser's message would quote key material.
  }
  if (!isObject(file) || file['format'] !== FORMAT) return fail(`is not of format ${FORMAT}`)
  const { versions, minimumAccepted, links } = file
  if (!Array.isArray(versions) || versions.length === 0 || versions.length > KEY_VERSIONS_MAX) {
    return fail(`needs 1 to ${KEY_VERSIONS_MAX} versions`)
  }
  const rows = versions.map((row: unknown): KeyVersion => {
    if (!isObject(row)) return fail('has a version that is not an object')
    const { version, epoch, created, key } = row
    if (typeof version !== 'number' || typeof epoch !== 'string' || typeof created !== 'string') {
      return fail('has a version without number, epoch or creation time')
    }
    return { version, epoch, created, ...(key === undefined ? {} : { key: parseKey(key) }) }
  })
  const ring = createRing(rows, Number(minimumAccepted), parseKey(links))
  // Wrong types, unknown members, gaps and keys of retired versions all show in the re-encoding.
  const gapless = rows.every(
    ({ version, key }, index) =>
      version === index + 1 && (key !== undefined) === version >= ring.minimumAccepted,
  )
  if (!gapless || formatRing(ring) !== text) return fail('is not in its canonical form')
  return ring
}

function parseKey(value: unknown): KeyObject {
  const bytes = typeof value === 'string' ? fromBase64url(value, 'key-unusable') : Buffer.alloc(0)
  if (bytes.length !== KEY_BYTES) {
    throw new Problem('key-unusable', `the key ring has a key that is not ${KEY_BYTES} bytes`)
  }
  return createSecretKey(bytes)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

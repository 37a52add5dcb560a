/** Content-Digest (RFC 9530 §2): made for what goes out, checked when a caller sends one. @module */
import { createHash, type Hash, hash, timingSafeEqual } from 'node:crypto'
import { isInnerList, parseDictionary } from 'structured-headers'
import { Problem } from '../../base/problem.ts'

/** Hash names of RFC 9530 §5 that are not deprecated → names of node:crypto. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
])

/** The field's value for these bytes. */
export function contentDigest(bytes: Uint8Array): string {
  return `sha-256=:${hash('sha256', bytes, 'base64')}:`
}

/** The SHA-256 in a value of one member, as evidence writes it; a caller's may have stray bits at its end. */
export function digestInBase64url(value: string | undefined): string | undefined {
  const digest = /^sha-256=:([A-Za-z0-9+/]{43})=:$/.exec(value ?? '')?.[1]
  return digest === undefined ? undefined : Buffer.from(digest, 'base64').toString('base64url')
}

/**
 * Checks every digest whose algorithm is known.
 *
 * @throws {Problem} `body-malformed` when one differs or none is known.
 */
export function checkContentDigest(value: string, bytes: Uint8Array): void {
  for (const [name, { algorithm, expected }] of readDigests(value)) {
    requireSame(name, expected, hash(algorithm, bytes, 'buffer'))
  }
}

/**
 * Checks the same for a body that passes by.
 *
 * @throws {Problem} at the end; `body-malformed` at once when no digest is known.
 */
export async function* passDigest(
  value: string,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const check = startDigestCheck(value)
  for await (const chunk of source) {
    check.update(chunk)
    yield chunk
  }
  check.compare()
}

/** The same again, for bytes that come over hours. */
export interface DigestCheck {
  update(bytes: Buffer): void
  /** To be compared once. @throws {Problem} `body-malformed` when a digest differs. */
  compare(): void
  /** Goes on from here on its own. */
  copy(): DigestCheck
}

/** @throws {Problem} `body-malformed` when no digest is known. */
export function startDigestCheck(value: string): DigestCheck {
  return digestCheck(
    [...readDigests(value)].map(([name, { algorithm, expected }]) => ({
      name,
      expected,
      running: createHash(algorithm),
    })),
  )
}

interface RunningDigest extends Pick<Digest, 'expected'> {
  readonly name: string
  readonly running: Hash
}

function digestCheck(digests: readonly RunningDigest[]): DigestCheck {
  return {
    update: (bytes) => {
      for (const { running } of digests) running.update(bytes)
    },
    compare: () => {
      for (const { name, expected, running } of digests)
        requireSame(name, expected, running.digest())
    },
    copy: () =>
      digestCheck(digests.map((digest) => ({ ...digest, running: digest.running.copy() }))),
  }
}

interface Digest {
  readonly algorithm: string
  /** Undefined when the member is no byte sequence. */
  readonly expected: ArrayBuffer | undefined
}

function requireSame(name: string, expected: ArrayBuffer | undefined, got: Buffer): void {
  const same =
    expected !== undefined &&
    expected.byteLength === got.length &&
    timingSafeEqual(new Uint8Array(expected), got)
  if (!same) throw new Problem('body-malformed', `the body does not have this \`${name}\` digest`)
}

/** The digests whose algorithm is known, by their names. */
function readDigests(value: string): ReadonlyMap<string, Digest> {
  const known = new Map<string, Digest>()
  for (const [name, member] of parseMembers(value)) {
    const algorithm = HASHES.get(name)
    if (algorithm === undefined) continue
    const item = isInnerList(member) ? undefined : member[0]
    known.set(name, { algorithm, expected: item instanceof ArrayBuffer ? item : undefined })
  }
  if (known.size === 0) {
    throw new Problem('body-malformed', 'expected a sha-256 or sha-512 digest')
  }
  return known
}

function parseMembers(value: string): ReturnType<typeof parseDictionary> {
  try {
    return parseDictionary(value)
  } catch (cause) {
    throw new Problem('request-malformed', 'header `content-digest` is not a dictionary', { cause })
  }
}

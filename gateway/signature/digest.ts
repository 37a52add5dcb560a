/** Content-Digest (RFC 9530 §2): made for what goes out, checked when a caller sends one. @module */
import { hash, timingSafeEqual } from 'node:crypto'
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

/**
 * Checks every digest whose algorithm is known.
 *
 * @throws {Problem} `body-malformed` when one differs or none is known.
 */
export function checkContentDigest(value: string, bytes: Uint8Array): void {
  let known = 0
  for (const [name, member] of readDigests(value)) {
    const algorithm = HASHES.get(name)
    if (algorithm === undefined) continue
    known++
    const expected = isInnerList(member) ? undefined : member[0]
    const got = hash(algorithm, bytes, 'buffer')
    const same =
      expected instanceof ArrayBuffer &&
      expected.byteLength === got.length &&
      timingSafeEqual(new Uint8Array(expected), got)
    if (!same) throw new Problem('body-malformed', `the body does not have this \`${name}\` digest`)
  }
  if (known === 0) throw new Problem('body-malformed', 'expected a sha-256 or sha-512 digest')
}

function readDigests(value: string): ReturnType<typeof parseDictionary> {
  try {
    return parseDictionary(value)
  } catch (cause) {
    throw new Problem('request-malformed', 'header `content-digest` is not a dictionary', { cause })
  }
}

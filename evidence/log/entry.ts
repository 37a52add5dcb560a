/** Log entries: one line per record, and the bundles that carry entries and records. Pure. @module */
import { Problem } from '../../base/problem.ts'

/** What a leaf says about a record: hash-only, so the log can outlive the record. */
export interface Leaf {
  readonly rid: string
  readonly kind: string
  /** base64url SHA-256 of the JWS bytes. */
  readonly digest: string
  /** base64url SM3 of the same bytes, in logs that carry it. */
  readonly sm3?: string
}

const LEAF =
  /^evr\/1 ([0-9a-f-]{36}) ([a-z]{1,16}) ([A-Za-z0-9_-]{43})(?: sm3:([A-Za-z0-9_-]{43}))?\n$/

/** Writes a leaf's data. */
export function formatLeaf({ rid, kind, digest, sm3 }: Leaf): string {
  return `evr/1 ${rid} ${kind} ${digest}${sm3 === undefined ? '' : ` sm3:${sm3}`}\n`
}

/** Reads a leaf's data; undefined when it is not one line of this form. */
export function parseLeaf(text: string): Leaf | undefined {
  const [, rid, kind, digest, sm3] = LEAF.exec(text) ?? []
  if (rid === undefined || kind === undefined || digest === undefined) return undefined
  return { rid, kind, digest, ...(sm3 === undefined ? {} : { sm3 }) }
}

/** Length of the length prefix: entries have 2 bytes (c2sp.org/tlog-tiles), records 4. */
export type PrefixBytes = 2 | 4
/** Of entries. */
export const ENTRY_PREFIX: PrefixBytes = 2
/** Of records. */
export const RECORD_PREFIX: PrefixBytes = 4

/** Puts the big-endian length before one entry or record. */
export function bundleItem(text: string, prefix: PrefixBytes): Buffer {
  const length = Buffer.byteLength(text)
  const item = Buffer.allocUnsafe(prefix + length)
  item.writeUIntBE(length, 0, prefix)
  item.write(text, prefix)
  return item
}

/**
 * Splits a bundle into its first `width` items, as text.
 *
 * @throws {Problem} `log-inconsistent` when the bundle is cut short.
 */
export function readBundle(
  bytes: Buffer,
  width: number,
  prefix: PrefixBytes,
  name: string,
): string[] {
  const items: string[] = []
  let at = 0
  while (items.length < width) {
    const start = at + prefix
    const end = start <= bytes.length ? start + bytes.readUIntBE(at, prefix) : Number.NaN
    if (!(end <= bytes.length)) {
      throw new Problem('log-inconsistent', `\`${name}\` ends inside item ${items.length}`)
    }
    items.push(bytes.toString('utf8', start, end))
    at = end
  }
  return items
}

/** Shows one row of a body alone: its salt, its bytes, and the way up to the root in the record. @module */
import { fromBase64url } from '../../base/base64url.ts'
import { Problem } from '../../base/problem.ts'
import { HASH_BYTES, splitPoint, verifyInclusion } from '../log/merkle.ts'
import type { RowFacts } from '../record.ts'
import {
  createRowTree,
  formatRoot,
  parseRoot,
  rowLeaf,
  rowSalts,
  SALT_BYTES,
  toBytes,
  type TreeName,
} from './tree.ts'

/** One opened row. Personal: the row is in it. */
export interface OpenedRow {
  readonly tree: TreeName
  /** From 0. */
  readonly index: number
  readonly salt: string
  /** The row's bytes. */
  readonly row: string
  /** Hashes from the leaf's sibling up to the root's child (RFC 9162 §2.1.3.1), base64url each. */
  readonly path: readonly string[]
}

/** Longest path: a tree of 2^53 rows. */
const PATH_MAX = 53

/**
 * Opens one row for somebody who has the whole body, by reading it once.
 *
 * @param rows the body's rows, in order.
 * @throws {Problem} `request-malformed` when this is not the body that the record commits to.
 */
export async function proveRow(
  rows: AsyncIterable<Uint8Array>,
  secret: Buffer,
  { tree, index, facts }: { tree: TreeName; index: number; facts: RowFacts },
): Promise<OpenedRow> {
  if (index >= facts.count) {
    throw new Problem('request-malformed', `the record has ${facts.count} rows, from 0`)
  }
  const saltOf = rowSalts(secret, tree)
  const whole = createRowTree()
  const siblings = siblingsOf(index, 0, facts.count)
  const subtrees = siblings.map(createRowTree)
  const salt = Buffer.from(saltOf(index))
  let row: Buffer | undefined
  let count = 0
  for await (const bytes of rows) {
    const leaf = rowLeaf(saltOf(count), bytes)
    whole.add(leaf)
    if (count === index) row = Buffer.from(bytes)
    else {
      const at = siblings.findIndex(([start, end]) => count >= start && count < end)
      subtrees[at]?.add(leaf)
    }
    count++
  }
  const root = tree.endsWith('received') ? facts.received : facts.forwarded
  if (row === undefined || formatRoot(whole.root()) !== root) {
    const found = `it has ${count} rows, the record ${facts.count}`
    throw new Problem('request-malformed', `the file is not what the record commits to: ${found}`)
  }
  return {
    tree,
    index,
    salt: salt.toString('base64url'),
    row: row.toString('base64url'),
    path: subtrees.map((subtree) => formatRoot(subtree.root())),
  }
}

/** The ranges whose subtrees are the siblings on a leaf's way up, lowest first (RFC 9162 §2.1.3.1). */
function siblingsOf(index: number, start: number, end: number): [number, number][] {
  if (end - start <= 1) return []
  const split = start + splitPoint(end - start)
  return index < split
    ? [...siblingsOf(index, start, split), [split, end]]
    : [...siblingsOf(index, split, end), [start, split]]
}

/**
 * Checks an opened row against a record's payload.
 *
 * @returns the row's bytes; undefined when the record does not commit to it.
 */
export function verifyRow(
  payload: Readonly<Record<string, unknown>>,
  opened: OpenedRow,
): Buffer | undefined {
  // Attacker-controlled: all of `opened`, until the path leads to the record's root.
  const facts = rowFactsOf(payload, opened.tree)
  const root = parseRoot(opened.tree.endsWith('received') ? facts?.received : facts?.forwarded)
  if (facts === undefined || root === undefined || opened.path.length > PATH_MAX) return undefined
  try {
    const salt = fromBase64url(opened.salt)
    const row = Buffer.from(fromBase64url(opened.row))
    const path = opened.path.map((text) => Buffer.from(fromBase64url(text)))
    if (salt.length !== SALT_BYTES || path.some(({ length }) => length !== HASH_BYTES))
      return undefined
    const leaf = toBytes(rowLeaf(salt, row))
    return verifyInclusion(opened.index, facts.count, leaf, root, path) ? row : undefined
  } catch {
    return undefined // Not base64url: no row of this record.
  }
}

/** What a record says of the rows of one side; undefined when it is not about rows. */
export function rowFactsOf(
  payload: Readonly<Record<string, unknown>>,
  tree: TreeName,
): RowFacts | undefined {
  const side = payload[tree.split('.')[0] as 'request' | 'response']
  const rows = isObject(side) ? side['rows'] : undefined
  if (!isObject(rows)) return undefined
  const { count, received, forwarded } = rows
  return typeof count === 'number' && typeof received === 'string' && typeof forwarded === 'string'
    ? { count, received, forwarded }
    : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

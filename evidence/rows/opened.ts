/** One row of a body, shown alone: what a verifier gets, and how it is checked. @module */
import { fromBase64url } from '../../base/base64url.ts'
import { HASH_BYTES, leafHash, verifyInclusion } from '../log/merkle.ts'
import type { RowFacts } from '../record.ts'

/** Which of a record's trees: rows as they came or as they left, of the request or the answer. */
export type TreeName =
  'request.received' | 'request.forwarded' | 'response.received' | 'response.forwarded'

/** The names of the trees. */
export const TREE_NAMES: readonly TreeName[] = [
  'request.received',
  'request.forwarded',
  'response.received',
  'response.forwarded',
]

/** Bytes of a row's salt (RFC 9901 §9.3: at least 128 bits). */
export const SALT_BYTES = 16

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
export const PATH_MAX = 53

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
    const leaf = leafHash(Buffer.concat([salt, row]))
    const size = leavesOf(facts, opened.tree)
    return verifyInclusion(opened.index, size, leaf, root, path) ? row : undefined
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
  const { count, dropped = 0, received, forwarded } = rows
  if (typeof count !== 'number' || typeof dropped !== 'number') return undefined
  if (typeof received !== 'string' || typeof forwarded !== 'string') return undefined
  return { count, dropped, received, forwarded }
}

/** The rows of one tree: of a row that was dropped nothing left. */
export function leavesOf({ count, dropped = 0 }: RowFacts, tree: TreeName): number {
  return tree.endsWith('forwarded') ? count - dropped : count
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseRoot(text: unknown): Buffer | undefined {
  if (typeof text !== 'string') return undefined
  const root = Buffer.from(text, 'base64url')
  return root.length === HASH_BYTES && root.toString('base64url') === text ? root : undefined
}

/** Shows one row of a body alone: its salt, its bytes, and the way up to the root in the record. @module */
import { Problem } from '../../base/problem.ts'
import { splitPoint } from '../log/merkle.ts'
import type { RowFacts } from '../record.ts'
import { leavesOf, type OpenedRow, SALT_BYTES, type TreeName } from './opened.ts'
import { createRowTree, formatRoot, rowLeaf, rowSalts } from './tree.ts'

/**
 * Opens one row for somebody who has the whole body, by reading it once.
 *
 * @param rows the body's rows, in order.
 * @throws {Problem} `request-malformed` when this is not the body that the record commits to.
 */
export async function proveRow(
  rows: AsyncIterable<Buffer>,
  secret: Buffer,
  { tree, index, facts }: { tree: TreeName; index: number; facts: RowFacts },
): Promise<OpenedRow> {
  const size = leavesOf(facts, tree)
  if (index >= size) {
    const dropped = size === facts.count ? '' : `, ${facts.count - size} were dropped`
    throw new Problem('request-malformed', `the record has ${size} rows, from 0${dropped}`)
  }
  const saltOf = rowSalts(secret, tree)
  const whole = createRowTree()
  const siblings = siblingsOf(index, 0, size)
  const subtrees = siblings.map(createRowTree)
  const salt = Buffer.alloc(SALT_BYTES)
  saltOf(index, salt, 0)
  let row: Buffer | undefined
  let count = 0
  for await (const bytes of rows) {
    const leaf = rowLeaf(count, saltOf, bytes, 0, bytes.length)
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
    const found = `it has ${count} rows, the record ${size}`
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

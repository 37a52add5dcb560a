/** Keeps count of a body's rows on their way: what came, what left, and the roots over both. @module */
import type { RowFacts } from '../record.ts'
import type { TreeName } from './opened.ts'
import { createRowTree, formatRoot, type Hash, rowLeaf, rowSalts } from './tree.ts'

/** Rows in one buffer: each from a place to the next but one, `cuts[2n]` to `cuts[2n + 1]`. */
export interface RowBatch {
  readonly bytes: Buffer
  readonly cuts: readonly number[]
}

/** The rows of one direction of one exchange. */
export interface RowLedger {
  /** Takes the next rows. @param forwarded those of them of which anything will leave. */
  enter(received: RowBatch, forwarded: RowBatch): void
  /** All rows so far have left, or are about to. */
  settle(): void
  /** Rows that have left. */
  readonly count: () => number
  /** What the record says of them; rows that were not settled are left out. */
  facts(): RowFacts
}

/** Starts a ledger. @param secret the record's. */
export function createRowLedger(secret: Buffer, side: 'request' | 'response'): RowLedger {
  const received = startSide(secret, `${side}.received`)
  const forwarded = startSide(secret, `${side}.forwarded`)
  return {
    enter: (input, output) => {
      received.enter(input)
      forwarded.enter(output)
    },
    settle: () => {
      received.settle()
      forwarded.settle()
    },
    count: forwarded.tree.count,
    facts: () => {
      const count = received.tree.count()
      const dropped = count - forwarded.tree.count()
      return {
        count,
        ...(dropped === 0 ? {} : { dropped }),
        received: formatRoot(received.tree.root()),
        forwarded: formatRoot(forwarded.tree.root()),
      }
    },
  }
}

function startSide(secret: Buffer, name: TreeName) {
  const tree = createRowTree()
  const saltOf = rowSalts(secret, name)
  let next = 0
  // What a leak stops must not count as sent.
  const pending: Hash[] = []
  return {
    tree,
    enter: ({ bytes, cuts }: RowBatch) => {
      for (let at = 0; at + 1 < cuts.length; at += 2)
        pending.push(rowLeaf(next++, saltOf, bytes, cuts[at] as number, cuts[at + 1] as number))
    },
    settle: () => {
      for (const leaf of pending) tree.add(leaf)
      pending.length = 0
    },
  }
}

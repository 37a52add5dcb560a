/** Keeps count of a body's rows on their way: what came, what left, and the roots over both. @module */
import type { RowFacts } from '../record.ts'
import { createRowTree, formatRoot, type Hash, rowLeaf, rowSalts } from './tree.ts'

/** The rows of one direction of one exchange. */
export interface RowLedger {
  /** Takes the next row. @param forwarded as it will leave; empty when the policy drops it. */
  enter(received: Uint8Array, forwarded: Uint8Array): void
  /** All rows so far have left, or are about to. */
  settle(): void
  /** Rows that have left. */
  readonly count: () => number
  /** What the record says of them; rows that were not settled are left out. */
  facts(): RowFacts
}

/** Starts a ledger. @param secret the record's. */
export function createRowLedger(secret: Buffer, side: 'request' | 'response'): RowLedger {
  const received = createRowTree()
  const forwarded = createRowTree()
  const saltIn = rowSalts(secret, `${side}.received`)
  const saltOut = rowSalts(secret, `${side}.forwarded`)
  // Leaves in pairs: what a leak stops must not count as sent.
  const pending: Hash[] = []
  let next = 0
  return {
    enter: (input, output) => {
      pending.push(rowLeaf(saltIn(next), input), rowLeaf(saltOut(next), output))
      next++
    },
    settle: () => {
      for (let at = 0; at + 1 < pending.length; at += 2) {
        received.add(pending[at] as Hash)
        forwarded.add(pending[at + 1] as Hash)
      }
      pending.length = 0
    },
    count: received.count,
    facts: () => ({
      count: received.count(),
      received: formatRoot(received.root()),
      forwarded: formatRoot(forwarded.root()),
    }),
  }
}

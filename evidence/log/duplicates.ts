/** Decides for each arriving record: new, seen before, or in contradiction with the log. @module */
import type { EvidenceIndex, IndexRow, KnownRecord } from '../index/index.ts'

export interface Classified {
  /** Position of each record, in order of arrival; contradicting ones have -1. */
  readonly positions: number[]
  /** Which of the arrived records are new, in order. */
  readonly fresh: readonly number[]
  /** One sentence for each record that is refused. */
  readonly conflicts: readonly string[]
}

/**
 * Compares with the log (through the index, which is caught up) and within the batch.
 *
 * @param size records in the log: the first new one gets this position.
 */
export async function classify(
  index: EvidenceIndex,
  rows: readonly IndexRow[],
  size: number,
): Promise<Classified> {
  const known = await index.match(rows)
  const byRid = new Map<string, KnownRecord>()
  const bySeq = new Map<string, KnownRecord>()
  const positions: number[] = []
  const fresh: number[] = []
  const conflicts: string[] = []
  rows.forEach((row, at) => {
    const place = `${row.seq} ${row.instance}`
    const first = known[at] ?? byRid.get(row.rid) ?? bySeq.get(place)
    if (first === undefined) {
      const added = { ...row, position: size + fresh.length }
      byRid.set(row.rid, added)
      bySeq.set(place, added)
      fresh.push(at)
      positions.push(added.position)
    } else if (first.digest === row.digest) {
      positions.push(first.position)
    } else {
      positions.push(-1)
      conflicts.push(
        `\`${row.rid}\` (seq ${row.seq}) has other bytes than \`${first.rid}\` at position ${first.position}`,
      )
    }
  })
  return { positions, fresh, conflicts }
}

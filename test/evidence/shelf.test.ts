import { expect } from 'chai'
import fc from 'fast-check'
import { SHELF_BYTES } from '../../evidence/limits.ts'
import type { SealedRecord } from '../../evidence/record.ts'
import { createShelf, readShelved, type Shelved } from '../../evidence/shelf.ts'

const LENGTHS = fc.oneof(
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: SHELF_BYTES / 2, max: 2 * SHELF_BYTES }),
)

/** What is put, and how many of the oldest are let go afterwards. */
const STEPS = fc.array(fc.record({ length: LENGTHS, freed: fc.nat(3) }), { maxLength: 40 })

function recordOf(seq: number, length: number): SealedRecord {
  const jws = `${seq}.`.repeat(1 + length / 2).slice(0, length)
  const record = { rid: `rid-${seq}`, kind: 'exchange', instance: 'one', seq, jws } as const
  if (seq % 2 === 0) return record
  const known = {
    digest: 'd',
    receivedUs: seq,
    route: `POST /贷款/${seq}`,
    links: { loan: 'lnk_1' },
  }
  return { ...record, known }
}

describe('shelf', () => {
  it('gives every record as it came until it is freed, whatever the lengths', () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        const shelf = createShelf()
        const kept: { readonly shelved: Shelved; readonly record: SealedRecord }[] = []
        for (const [seq, { length, freed }] of steps.entries()) {
          const record = recordOf(seq, length)
          kept.push({ shelved: shelf.put(record), record })
          for (const { shelved } of kept.splice(0, freed)) shelf.free(shelved)
          for (const { shelved: each, record: put } of kept) {
            expect(readShelved(each)).to.deep.equal(put)
            // As another thread has it.
            expect(readShelved(structuredClone(each))).to.deep.equal(put)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('takes no more memory when records come and go', () => {
    const shelf = createShelf()
    const boards = new Set<unknown>()
    const waiting: Shelved[] = []
    for (let seq = 0; seq < 50_000; seq += 1) {
      waiting.push(shelf.put(recordOf(seq, 3_000)))
      boards.add(waiting.at(-1)?.board)
      if (waiting.length > 1_000) shelf.free(waiting.shift() as Shelved)
    }
    expect(boards.size).to.be.lessThan(8)
  })
})

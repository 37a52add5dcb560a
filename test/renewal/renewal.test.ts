import { expect } from 'chai'
import fc from 'fast-check'
import type { Clock } from '../../base/clock.ts'
import {
  encodeRecord,
  type EvidenceRecord,
  hashTree,
  parseRecord,
  startRecord,
  walkTree,
} from '../../evidence/renewal/record.ts'
import { renewalCalendar, renewHashes, renewTimestamps } from '../../evidence/renewal/renew.ts'
import { verifyRecord } from '../../evidence/renewal/verify.ts'
import { digest } from '../../evidence/timestamp/verify.ts'
import { createEvidenceMaker, type EvidenceMaker } from './maker.ts'

const start = Date.parse('2026-11-24T10:00:00Z')
const YEAR_MS = 365 * 86_400_000
let nowMs = start
const clock: Clock = {
  wallUs: () => BigInt(nowMs) * 1000n,
  monotonicNs: () => BigInt(nowMs) * 1_000_000n,
}
const data = Array.from({ length: 5 }, (_, index) => Buffer.from(`checkpoint ${index}\n`))

describe('evidence records', () => {
  let maker: EvidenceMaker
  let roots: Uint8Array[]
  /** Each: first token, a timestamp renewal after 2 years, a hash renewal after 4. */
  let first: EvidenceRecord[]
  let second: EvidenceRecord[]
  let third: EvidenceRecord[]

  before(async () => {
    nowMs = start
    maker = await createEvidenceMaker(clock)
    roots = [maker.root]
    first = []
    for (const each of data)
      first.push(startRecord(await maker.stamp('SHA-256', await digest('SHA-256', each))))
    nowMs = start + 2 * YEAR_MS
    await maker.renewCertificate()
    second = await renewTimestamps(first, maker.stamp)
    nowMs = start + 4 * YEAR_MS
    await maker.renewCertificate()
    const items = second.map((record, index) => ({ record, data: data[index] ?? Buffer.alloc(0) }))
    third = await renewHashes(items, 'SHA-512', maker.stamp)
  })

  const check = (records: EvidenceRecord[], index: number, years: number, bytes = data[index]) =>
    verifyRecord(encodeRecord(records[index] ?? { chains: [] }), bytes ?? Buffer.alloc(0), {
      roots,
      at: new Date(start + years * YEAR_MS),
    })

  it('are valid before and after each renewal, and keep the first time', async () => {
    for (const [index] of data.entries()) {
      for (const [records, years] of [
        [first, 1],
        [second, 3],
        [third, 6],
      ] as const) {
        const { reasons, time } = await check(records, index, years)
        expect(reasons).to.deep.equal([])
        expect(time?.getTime()).to.equal(start)
      }
    }
  })

  it('are not valid without the renewal', async () => {
    expect((await check(first, 0, 4)).reasons.join()).to.match(/^token 1: `CN=TSA, .*` was expired/)
    expect((await check(second, 0, 6)).reasons.join()).to.match(
      /^token 2: `CN=TSA, .*` was expired/,
    )
  })

  // prettier-ignore
  const REJECT: { name: string; spoil: () => Promise<EvidenceRecord>; want: RegExp }[] = [
    { name: 'other data',                     spoil: async () => third[1] as EvidenceRecord,                                                          want: /token 1: the token stamps other data/ },
    { name: 'a token left out',               spoil: async () => ({ chains: [third[0]?.chains[0]?.slice(1) ?? [], ...(third[0]?.chains.slice(1) ?? [])] }), want: /stamps other data/ },
    { name: 'the first chain left out',       spoil: async () => ({ chains: third[0]?.chains.slice(1) ?? [] }),                                       want: /stamps other data/ },
    { name: 'a renewal of another record',    spoil: async () => ({ chains: [[...(first[0]?.chains[0] ?? []), ...(second[4]?.chains[0]?.slice(1) ?? [])]] }), want: /token 2: the token stamps other data/ },
    { name: 'a renewal that came too late',   spoil: late,                                                                                            want: /token 1: `CN=TSA, .*` was expired/ },
    { name: 'tokens in the wrong order',      spoil: async () => ({ chains: [(second[0]?.chains[0] ?? []).toReversed()] }),                           want: /token 1 was made after its renewal/ },
  ]
  for (const { name, spoil, want } of REJECT) {
    it(`are rejected with ${name}`, async () => {
      const { valid, reasons } = await check([await spoil()], 0, 6)
      expect(reasons.join('; ')).to.match(want)
      expect(valid).to.equal(false)
    })
  }
  async function late(): Promise<EvidenceRecord> {
    nowMs = start + 3.5 * YEAR_MS
    await maker.renewCertificate()
    return (await renewTimestamps(first.slice(0, 1), maker.stamp))[0] as EvidenceRecord
  }

  it('are rejected cut, extended, or in another spelling', async () => {
    const bytes = encodeRecord(third[0] as EvidenceRecord)
    const trust = { roots, at: new Date(start + 6 * YEAR_MS) }
    for (const spoiled of [
      bytes.subarray(0, -1),
      Buffer.concat([bytes, Buffer.of(0)]),
      Buffer.alloc(0),
    ]) {
      const { reasons } = await verifyRecord(spoiled, data[0] as Buffer, trust)
      expect(reasons.join()).to.match(/^not an evidence record: /)
    }
  })

  it('survive writing and reading', () => {
    for (const record of [...first, ...second, ...third]) {
      const bytes = encodeRecord(record)
      expect(encodeRecord(parseRecord(bytes))).to.deep.equal(bytes)
    }
  })

  it('have a calendar: certificates and sunsets, earliest first', () => {
    const record = first[0] as EvidenceRecord
    const [date] = renewalCalendar(record)
    expect(date?.kind).to.equal('timestamp')
    expect(date?.due.toISOString()).to.equal(new Date(start + 2 * YEAR_MS).toISOString())
    const sunset = new Date(start + 2.5 * YEAR_MS)
    const dates = renewalCalendar(record, new Map([['SHA-256', sunset]]))
    expect(dates.map(({ kind }) => kind)).to.deep.equal(['hash', 'timestamp'])
  })

  it('have trees in which each digest has its way, and no other digest has', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.uint8Array({ minLength: 32, maxLength: 32 }), {
          minLength: 1,
          maxLength: 20,
          selector: String,
        }),
        async (digests) => {
          const { root, ways } = await hashTree('SHA-256', digests)
          for (const [index, value] of digests.entries()) {
            const timestamp = {
              digest: 'SHA-256',
              tree: ways[index] ?? [],
              token: new Uint8Array(),
            } as const
            expect(await walkTree(timestamp, value)).to.deep.equal(root)
            const other = Uint8Array.from(value, (byte) => byte ^ 1)
            expect(await walkTree(timestamp, other)).to.not.deep.equal(root)
          }
        },
      ),
      { numRuns: 30 },
    )
  })
})

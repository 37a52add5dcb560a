import { expect } from 'chai'
import { indexRow, knownRow } from '../../evidence/index/fields.ts'
import type { EvidenceIndex, IndexQuery } from '../../evidence/index/index.ts'
import { openSqliteIndex } from '../../evidence/index/sqlite.ts'
import { Problem } from '../../base/problem.ts'
import { recordMaker, START_MS } from './records.ts'

const REFUSAL = {
  kind: 'refusal',
  caller: undefined,
  recipient: undefined,
  route: undefined,
  policy: undefined,
  links: undefined,
}

describe('index', () => {
  let index: EvidenceIndex
  let rid: string
  before(async () => {
    index = openSqliteIndex(':memory:')
    const maker = recordMaker(81)
    const records = [
      ...maker.many(12), // 0–11; application link `app-<seq % 10>`
      maker.next(REFUSAL), // 12
      maker.next({ caller: { id: 'harbour-bank' }, recipient: 'sunrise-platform' }), // 13
      maker.next({ policy: { id: 'overdue', version: 1 }, links: { loan: 'loan-1' } }), // 14
    ]
    rid = records[1]?.rid ?? ''
    const rows = records.map(({ jws }, at) => indexRow(jws, at))
    await index.add(rows, { size: rows.length, root: 'x' })
  })
  after(() => index.close())

  const second = (START_MS + 2) * 1000
  // prettier-ignore
  const QUERIES: { name: string; query: () => IndexQuery; want: number[] }[] = [
    { name: 'id',                 query: () => ({ rid }),                                   want: [1] },
    { name: 'time',               query: () => ({ sinceUs: second, untilUs: second + 2000 }), want: [1, 2] },
    { name: 'kind',               query: () => ({ kind: 'refusal' }),                       want: [12] },
    { name: 'caller',             query: () => ({ caller: 'harbour-bank' }),                want: [13] },
    { name: 'recipient and time', query: () => ({ recipient: 'harbour-bank', sinceUs: second + 9000 }), want: [10, 11, 14] },
    { name: 'route and limit',    query: () => ({ route: 'POST /credit/applications', limit: 2 }), want: [0, 1] },
    { name: 'route from a page',  query: () => ({ route: 'POST /credit/applications', from: 11 }), want: [11, 13, 14] },
    { name: 'policy',             query: () => ({ policy: 'overdue' }),                     want: [14] },
    { name: 'policy version',     query: () => ({ policy: 'credit-application@3', from: 10 }), want: [10, 11, 13] },
    { name: 'no such version',    query: () => ({ policy: 'overdue@2' }),                   want: [] },
    { name: 'link key',           query: () => ({ link: 'app-2' }),                         want: [1, 11] },
    { name: 'case',               query: () => ({ case: rid, from: 11 }),                   want: [11, 13] },
    { name: 'a quote in a name',  query: () => ({ caller: "x' OR '1'='1" }),                want: [] },
  ]
  for (const { name, query, want } of QUERIES) {
    it(`finds by ${name}`, async () => {
      expect((await index.search(query())).map(({ position }) => position)).to.deep.equal(want)
    })
  }

  it('gives back what it was given, absent fields absent', async () => {
    const refusal = recordMaker(82).next(REFUSAL)
    const { prev: _, ...row } = indexRow(refusal.jws, 15)
    await index.add([row], { size: 16, root: 'y' })
    expect(await index.search({ rid: refusal.rid })).to.deep.equal([row])
    expect(await index.head()).to.deep.equal({ size: 16, root: 'y' })
  })

  it('changes nothing when one row of a batch does not fit', async () => {
    const row = indexRow(recordMaker(83).next().jws, 16)
    const error = await index.add([row, row], { size: 18, root: 'z' }).catch((e: unknown) => e)
    expect(error).to.be.instanceOf(Problem).with.property('slug', 'log-unavailable')
    expect((await index.head()).root).to.equal('y')
    expect(await index.search({ rid: row.rid })).to.deep.equal([])
  })

  // prettier-ignore
  const MALFORMED = [
    { name: 'an id that is no UUID',  fields: { rid: '../../etc' },                want: '`rid`' },
    { name: 'a kind with a space',    fields: { kind: 'a b' },                     want: '`kind`' },
    { name: 'a negative seq',         fields: { seq: -1 },                         want: '`seq`' },
    { name: 'a time without micros',  fields: { times: { received: '2026-11-24T03:00:00Z' } }, want: '`received`' },
    { name: 'a caller that is a text', fields: { caller: 'x' },                    want: '`caller`' },
    { name: 'a link that is a list',  fields: { links: { loan: [] } },             want: '`loan`' },
    { name: 'an endless route',       fields: { route: 'x'.repeat(5000) },         want: '`route`' },
  ]
  for (const { name, fields, want } of MALFORMED) {
    it(`refuses ${name}`, () => {
      const { jws } = recordMaker(84).next(fields)
      expect(() => indexRow(jws, 0))
        .to.throw(Problem, want)
        .with.property('slug', 'job-invalid')
    })
  }

  // prettier-ignore
  const UNNAMEABLE = [
    { name: 'a caller without a name', facts: { caller: '' },                      want: '`caller`' },
    { name: 'an endless route',        facts: { route: 'x'.repeat(257) },          want: '`route`' },
    { name: 'an endless link key',     facts: { links: { loan: 'x'.repeat(257) } }, want: '`loan`' },
  ]
  for (const { name, facts, want } of UNNAMEABLE) {
    it(`refuses ${name} where the record is known`, () => {
      const record = recordMaker(85).next()
      const known = { digest: 'd', receivedUs: 1, links: {}, ...facts }
      expect(() => knownRow(record, known))
        .to.throw(Problem, want)
        .with.property('slug', 'job-invalid')
    })
  }
})

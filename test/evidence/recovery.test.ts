import { expect } from 'chai'
import { Problem } from '../../base/problem.ts'
import type { EntryType } from '../../evidence/journal/entry.ts'
import type { FoundEntry } from '../../evidence/journal/segments.ts'
import { recover } from '../../evidence/recovery.ts'
import { createSealer, FIRST_PREV, recordDigest, type Sealer } from '../../evidence/seal.ts'
import { testIdentity } from './support.ts'

const entry = (type: EntryType, payload: string | object): FoundEntry => ({
  type,
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  segment: 1,
  newest: true,
})
const mark = (more = {}) =>
  entry('mark', { v: 1, instance: 'i', seq: 0, digest: FIRST_PREV, key: '', logged: 0, ...more })
const intent = (rid: string) => entry('intent', { kind: 'exchange', rid, _sd: [] })
const outcome = (rid: string) => entry('outcome', { rid, outcome: 'answered', _sd: [] })

describe('recovery', () => {
  let seal: Sealer
  let first: string
  before(async () => {
    seal = createSealer(await testIdentity())
    first = record(1, FIRST_PREV)
  })
  const record = (seq: number, prev: string, rid = `r${seq}`) =>
    seal(JSON.stringify({ v: 1, kind: 'exchange', rid, instance: 'i', seq, prev, _sd: [] }), 1)

  // prettier-ignore
  const REFUSED: { name: string; entries: () => FoundEntry[]; detail: string }[] = [
    { name: 'a missing record',           entries: () => [mark(), entry('sealed', first), entry('sealed', record(3, recordDigest(first)))], detail: 'record 2 is missing' },
    { name: 'a record with another prev', entries: () => [mark(), entry('sealed', first), entry('sealed', record(2, FIRST_PREV))],          detail: 'record 2 is missing' },
    { name: 'two records of one number',  entries: () => [mark(), entry('sealed', first), entry('sealed', record(1, FIRST_PREV))],          detail: 'two records 1' },
    { name: 'a mark ahead of its chain',  entries: () => [mark(), entry('sealed', first), mark({ seq: 2 })],                               detail: 'record 2 is missing' },
    { name: 'another instance\'s mark',   entries: () => [mark(), mark({ instance: 'j' })],                                                detail: 'two instances' },
    { name: 'a record that is gone',      entries: () => [mark({ seq: 2, logged: 1 })],                                                    detail: 'not all records from 2 to 2' },
    { name: 'an outcome alone',           entries: () => [mark(), outcome('r1')],                                                          detail: '1 outcomes stand without' },
    { name: 'no mark',                    entries: () => [entry('sealed', first)],                                                         detail: 'does not begin with a mark' },
  ]
  for (const { name, entries, detail } of REFUSED) {
    it(`refuses a journal with ${name}`, () => {
      expect(() => recover(entries()))
        .to.throw(Problem, detail)
        .with.property('slug', 'evidence-unavailable')
    })
  }

  // prettier-ignore
  const ACCEPTED: { name: string; entries: () => FoundEntry[]; want: { pending: string[]; unknown: number; sealed: number[] } }[] = [
    { name: 'nothing under way',                   entries: () => [mark()],                                                      want: { pending: [],           unknown: 0, sealed: [] } },
    { name: 'an intent alone',                     entries: () => [mark(), intent('r1')],                                        want: { pending: ['r1'],       unknown: 1, sealed: [] } },
    { name: 'an outcome before another intent',    entries: () => [mark(), intent('r2'), intent('r1'), outcome('r1')],           want: { pending: ['r1', 'r2'], unknown: 1, sealed: [] } },
    { name: 'a record that waits for the log',     entries: () => [mark(), intent('r1'), outcome('r1'), entry('sealed', first)], want: { pending: [],           unknown: 0, sealed: [1] } },
    { name: 'a copy of a record',                  entries: () => [mark(), entry('sealed', first), entry('sealed', first)],      want: { pending: [],           unknown: 0, sealed: [1] } },
    { name: 'a record in the log',                 entries: () => [mark(), entry('sealed', first), mark({ logged: 1 })],         want: { pending: [],           unknown: 0, sealed: [] } },
    { name: 'an outcome whose intent is gone',     entries: () => [mark(), outcome('r1'), entry('sealed', first)],               want: { pending: [],           unknown: 0, sealed: [1] } },
  ]
  for (const { name, entries, want } of ACCEPTED) {
    it(`finds ${name}`, () => {
      const { pending = [], unknown, sealed = [] } = recover(entries()) ?? {}
      expect(pending.map(({ draft }) => draft.rid)).to.deep.equal(want.pending)
      expect(unknown).to.equal(want.unknown)
      expect(sealed.map(({ record: { seq } }) => seq)).to.deep.equal(want.sealed)
    })
  }

  it('finds nothing in an empty journal', () => {
    expect(recover([])).to.equal(undefined)
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { decide } from '../../../gateway/policy/decide.ts'
import { diffPolicies } from '../../../gateway/policy/diff.ts'
import { formatPath } from '../../../gateway/policy/path.ts'
import type { Rule, Segment } from '../../../gateway/policy/policy.ts'
import { findWitnesses } from '../../../gateway/policy/witness.ts'
import { type Differs, fields, policyOf } from './fixture.ts'

function effects(before: Differs | undefined, after: Differs | undefined): string[] {
  return diffPolicies(before && policyOf(before), after && policyOf(after)).map(
    ({ effect, what, text }) => `${effect} ${what} ${text}`,
  )
}
const request = (text: string): Differs => ({ request: fields(text) })

// prettier-ignore
const CASES: { name: string; before?: Differs; after?: Differs; want: string[] }[] = [
  { name: 'nothing',                       before: request('$.a: keep'), after: request('$.a: keep'), want: [] },
  { name: 'another order of rules',        before: request('$.a: keep, $.b: drop'), after: request('$.b: drop, $.a: keep'), want: [] },
  { name: 'a field that is now kept',      before: request('$.a: keep'), after: request('$.a: keep, $.b: keep'), want: ['widening $.b now reaches b: keep'] },
  { name: 'a field that is now dropped',   before: request('$.a: keep'), after: request('$.a: drop'), want: ['narrowing $.a no longer reaches b (was keep)'] },
  { name: 'drop for nothing',              before: request('$.a: drop'), after: request(''), want: [] },
  { name: 'a token for a mask',            before: request('$.a: { mask: all }'), after: request('$.a: { tokenize: opaque }'), want: ['narrowing $.a reaches b in another form: mask: all → tokenize: opaque'] },
  { name: 'a mask for a token',            before: request('$.a: { tokenize: opaque }'), after: request('$.a: { mask: all }'), want: ['widening $.a reaches b in another form: tokenize: opaque → mask: all'] },
  { name: 'the recipient\'s key for a mask', before: request('$.a: { mask: all }'), after: request('$.a: { encrypt: recipient }'), want: ['widening $.a reaches b in another form: mask: all → encrypt: recipient'] },
  { name: 'the gateway\'s key for the recipient\'s', before: request('$.a: { encrypt: recipient }'), after: request('$.a: { encrypt: deterministic }'), want: ['narrowing $.a reaches b in another form: encrypt: recipient → encrypt: deterministic'] },
  { name: 'another mask',                  before: request('$.a: { mask: all }'), after: request('$.a: { mask: surname }'), want: ['widening $.a reaches b in another form: mask: all → mask: surname'] },
  { name: 'another kind',                  before: request('$.a: { kind: x, keep: }'), after: request('$.a: { kind: y, keep: }'), want: ['widening $.a reaches b in another form: keep (x) → keep (y)'] },
  { name: 'a reason alone',                before: request('$.a: { keep: , reason: r }'), after: request('$.a: keep'), want: [] },
  { name: 'a wider container',             before: request('$.a.b: keep'), after: request('$.a: keep'), want: ['widening $.a now reaches b: keep'] },
  { name: 'a guard that is gone',          before: request('$.a: keep, $..m: drop'), after: request('$.a: keep'), want: ['widening $.a.m now reaches b: keep'] },
  { name: 'a guard that is gone, in lists', before: request('$.a: keep, "$.a[*].m": drop'), after: request('$.a: keep'), want: ['widening $.a[*].m now reaches b: keep'] },
  { name: 'a response field',              before: {}, after: { response: fields('$.a: keep') }, want: ['widening $.a now reaches a: keep'] },
  { name: 'a header',                      before: { request: '{ headers: [ x, y ] }' }, after: { request: '{ headers: [ y, z ] }' }, want: ['narrowing header:x no longer reaches b (was keep)', 'widening header:z now reaches b: keep'] },
  { name: 'another recipient',             before: request('$.a: keep'), after: { ...request('$.a: keep'), to: 'c' }, want: ['narrowing $.a no longer reaches b (was keep)', 'widening $.a now reaches c: keep'] },
  { name: 'a new policy',                  after: request('$.a: keep'), want: ['widening $.a now reaches b: keep'] },
  { name: 'a policy that is gone',         before: request('$.a: keep'), want: ['narrowing $.a no longer reaches b (was keep)'] },
  { name: 'consent that is checked no more', before: { legal: '{ basis: consent, consent: { at: $.c } }' }, after: { legal: '{ basis: consent }' }, want: ['widening legal.consent $.c → none'] },
  { name: 'sealed custody',                before: {}, after: { frame: 'evidence: { custody: sealed }' }, want: ['widening evidence.custody none → sealed'] },
]

describe('diffPolicies', () => {
  for (const { name, before, after, want } of CASES) {
    it(`tells ${name}`, () => expect(effects(before, after)).to.deep.equal(want))
  }
})

const step: fc.Arbitrary<Segment> = fc.constantFrom<Segment>(
  { step: 'name', name: 'a' },
  { step: 'name', name: 'b' },
  { step: 'index', index: 0 },
  { step: 'wildcard' },
)
const segment = fc.oneof(
  { arbitrary: step, weight: 3 },
  step.map((of): Segment => ({ step: 'descendant', of })),
)
const rules = fc
  .uniqueArray(fc.array(segment, { minLength: 1, maxLength: 3 }), {
    maxLength: 4,
    selector: formatPath,
  })
  .map((paths) =>
    paths.map((path, at): Rule => ({
      id: `R${at}`,
      text: formatPath(path),
      path,
      action: { transform: at % 2 === 0 ? 'keep' : 'drop', with: {} },
      at: { file: '', line: 1, column: 1 },
    })),
  )
const location = fc.array(fc.constantFrom<string | number>('a', 'b', 'z', 0, 7), {
  minLength: 1,
  maxLength: 5,
})

describe('findWitnesses', () => {
  it('misses no place that two versions decide differently', () => {
    fc.assert(
      fc.property(rules, rules, location, (before, after, place) => {
        const pair = [before, after].map((fieldRules) => decide(fieldRules, place)?.rule.text)
        const found = findWitnesses(before, after)?.map((one) => [
          one.before?.text,
          one.after?.text,
        ])
        if (pair.some((text) => text !== undefined)) expect(found).to.deep.include(pair)
      }),
      { numRuns: 2000 },
    )
  })
})

import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { createReport } from '../../../base/diagnostic.ts'
import { parseKinds } from '../../../gateway/guard/kinds.ts'
import { LINTS, lintPolicy, lintTogether } from '../../../gateway/policy/lint.ts'
import { createRehearsal } from '../../../gateway/policy/rehearsal.ts'
import { compileRoute } from '../../../gateway/transform/compile.ts'
import { type Differs, fields, policyOf } from './fixture.ts'

const KINDS = parseKinds(createReport(), 'kinds.yaml', readFileSync('policies/kinds.yaml', 'utf8'))

function lints(differs: Differs): string[] {
  const report = createReport()
  lintPolicy(policyOf(differs), KINDS, report)
  return report.diagnostics.map(({ code, at, severity }) => `${code} ${severity} ${at.line}`)
}
const met = (sample: string, assertion = 'relayed: {}') =>
  `[ { name: t, request: ${sample}, ${assertion} } ]`

// prettier-ignore
const CASES: { name: string; policy: Differs; want: string[] }[] = [
  { name: 'nothing in a plain policy',  policy: {}, want: [] },
  { name: 'a kind kept without reason', policy: { request: fields('$.a: { kind: mobile, keep: }'), tests: met('{ a: 1 }') }, want: ['P101 warning 10'] },
  { name: 'no kind kept with a reason', policy: { request: fields('$.a: { kind: mobile, keep: , reason: r }'), tests: met('{ a: 1 }') }, want: [] },
  { name: 'a test without assertion',   policy: { tests: '[ { name: t, request: {} } ]' }, want: ['P102 warning 12'] },
  { name: 'a mask beside a hash',       policy: { request: fields('$.a: { kind: mobile, mask: mobile }, $.b: { kind: mobile, legacy-hash: md5 }'), tests: met('{ a: 1, b: 1 }') }, want: ['P120 warning 10', 'P103 error 10'] },
  { name: 'no mask beside a hash of another kind', policy: { request: fields('$.a: { kind: name, mask: name }, $.b: { kind: mobile, legacy-hash: md5 }'), tests: met('{ a: 1, b: 1 }') }, want: ['P120 warning 10'] },
  { name: 'two masks of one kind',      policy: { request: fields('$.a: { kind: mobile, mask: { first: 7 } }, $.b: { kind: mobile, mask: { last: 7 } }'), tests: met('{ a: 1, b: 1 }') }, want: ['P119 warning 10'] },
  { name: 'nothing in two masks alike', policy: { request: fields('$.a: { kind: mobile, mask: mobile }, $.b: { kind: mobile, mask: mobile }'), tests: met('{ a: 1, b: 1 }') }, want: [] },
  { name: 'nothing in two masks for two readers', policy: { request: fields('$.a: { kind: mobile, mask: mobile }'), response: fields('$.a: { kind: mobile, mask: all }'), tests: '[ { name: t, request: { a: 1 }, relayed: {}, response: { a: 1 } } ]' }, want: [] },
  { name: 'a hash that is kept',        policy: { request: fields('$.mobileMd5: keep'), tests: met('{ mobileMd5: x }') }, want: ['P104 warning 10'] },
  { name: 'a rule that no test meets',  policy: { request: fields('$.a: keep') }, want: ['P105 warning 10'] },
  { name: 'a rule inside a mask',       policy: { request: fields('$.a: { mask: all }, $.a.b: keep'), tests: '[ { name: t, request: { a: x }, relayed: {} }, { name: u, request: { a: { b: 1 } }, relayed: {} } ]' }, want: ['P106 warning 10', 'P105 warning 10'] },
  { name: 'a token without a kind',     policy: { request: fields('$.a: { tokenize: opaque }'), tests: met('{ a: 1 }') }, want: ['P108 warning 10'] },
  { name: 'consent that is not checked', policy: { legal: '{ basis: separate-consent }' }, want: ['P109 warning 1'] },
  { name: 'no assessment',              policy: { legal: '{ basis: contract }', request: fields('$.a: { kind: mobile, mask: all }'), tests: met('{ a: 1 }') }, want: ['P110 warning 1'] },
  { name: 'a short retention',          policy: { frame: 'evidence: { retain: 35m }' }, want: ['P111 warning 1'] },
  { name: 'no retention of three years', policy: { frame: 'evidence: { retain: 36m }' }, want: [] },
  { name: 'a kept wildcard',            policy: { request: fields('"$.a[*]": keep'), tests: met('{ a: [ 1 ] }') }, want: ['P112 warning 10'] },
  { name: 'a C3 kind that is kept',     policy: { request: fields('$.a: { kind: cvv, tokenize: opaque }'), tests: met('{ a: 1 }') }, want: ['P113 error 10'] },
  { name: 'no C3 kind that is dropped', policy: { request: fields('$.a: { kind: cvv, drop: }'), tests: met('{ a: 1 }') }, want: [] },
  { name: 'a kind never to be collected', policy: { request: fields('$.a: { kind: religion, mask: all }'), tests: met('{ a: 1 }') }, want: ['P114 error 10'] },
  { name: 'a personal field kept as it is', policy: { request: fields('$.mobile: keep'), tests: met('{ mobile: 1 }') }, want: ['P116 warning 10'] },
  { name: 'no personal field with a reason', policy: { request: fields('$.mobile: { keep: , reason: r }'), tests: met('{ mobile: 1 }') }, want: [] },
  { name: 'tokens that look like a mobile number', policy: { request: fields("$.a: { kind: passport, tokenize: { form: format-preserving, template: 'E##########', as: '1##########' } }"), tests: met('{ a: 1 }') }, want: ['P118 error 10'] },
  { name: 'tokens that look like nothing', policy: { request: fields("$.a: { kind: passport, tokenize: { form: format-preserving, template: 'E########', as: 'T########' } }"), tests: met('{ a: 1 }') }, want: [] },
  { name: 'written consent that is not checked', policy: { legal: '{ basis: written-consent, pia: { id: P, date: 2026-01-01 } }', request: fields('$.a: { kind: income, mask: all }'), tests: met('{ a: 1 }') }, want: ['P115 error 10', 'P109 warning 1'] },
  { name: 'no written consent that is checked', policy: { legal: '{ basis: written-consent, consent: { at: $.consent }, pia: { id: P, date: 2026-01-01 } }', request: fields('$.a: { kind: income, mask: all }'), tests: met('{ a: 1 }') }, want: [] },
  { name: 'a kind without written consent', policy: { request: fields('$.a: { kind: income, mask: all }'), tests: met('{ a: 1 }') }, want: ['P115 error 10'] },
]

describe('lintPolicy', () => {
  for (const { name, policy, want } of CASES) {
    it(`finds ${name}`, () => expect(lints(policy)).to.deep.equal(want))
  }

  it('has a case for each number but those that show elsewhere', () => {
    const seen = new Set(CASES.flatMap(({ want }) => want.map((one) => one.slice(0, 4))))
    expect(Object.keys(LINTS).filter((code) => !seen.has(code))).to.deep.equal(['P107', 'P117'])
  })

  it('says how small a format is, when the rule is compiled', () => {
    const told: unknown[] = []
    const tokenize = "{ form: format-preserving, template: 'E#####', as: 'T#####' }"
    const policy = policyOf({ request: fields(`$.a: { tokenize: ${tokenize} }`) })
    compileRoute(policy, createRehearsal(KINDS), (at, message, _help, code) =>
      told.push([at.line, code, message]),
    )
    const message = '`template` has 100000 values; fewer than 1,000,000 can be guessed'
    expect(told[0]).to.deep.equal([10, 'P117', message])
  })
})

describe('lintTogether', () => {
  const legal = '{ basis: contract, pia: { id: OTHER, date: 2026-01-01 } }'
  it('finds one token domain on two grounds', () => {
    const report = createReport()
    lintTogether([policyOf(), policyOf({ legal })], report)
    expect(report.diagnostics.map(({ code }) => code)).to.deep.equal(['P107'])
  })
  it('accepts one domain on one ground, and two grounds in two domains', () => {
    const report = createReport()
    lintTogether([policyOf(), policyOf(), policyOf({ legal, to: 'c' })], report)
    expect(report.diagnostics).to.deep.equal([])
  })
})

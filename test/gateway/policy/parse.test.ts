import { expect } from 'chai'
import { readdirSync, readFileSync } from 'node:fs'
import { createReport } from '../../../base/diagnostic.ts'
import { parsePolicy } from '../../../gateway/policy/parse.ts'
import { TRANSFORMS } from './fixture.ts'

const KNOWN = {
  transforms: new Set(['keep', 'drop', 'mask', 'tokenize', 'pseudonymise', 'reveal', 'generalise']),
  kinds: new Set(['name', 'mobile', 'resident-id', 'bank-card', 'address']),
}

const HEAD = `policy: p
version: 1
title: { zh: 甲, en: A }
from: a
to: b
when: { method: POST, path: "/x/{id}" }
purpose: q
legal: { basis: contract }
`
const TESTS = `tests: [ { name: t, request: {}, relayed: {} } ]
`

function parse(text: string) {
  const report = createReport()
  const policy = parsePolicy(report, 'p.yaml', text, KNOWN)
  const errors = report.diagnostics.map(({ at, message }) => `${at.line}:${at.column} ${message}`)
  return { policy, errors, diagnostics: report.diagnostics }
}

// prettier-ignore
const REFUSED: { name: string; text: string; want: string; help?: string }[] = [
  { name: 'an unknown key',         text: `${HEAD}requst: {}\n${TESTS}`,                        want: '9:1 the policy has no key `requst`', help: 'did you mean `request`?' },
  { name: 'a missing direction',    text: HEAD + TESTS,                                         want: '1:1 the policy has no `request`' },
  { name: 'no tests',               text: `${HEAD}request: {}\n`,                               want: '1:1 the policy has no `tests`' },
  { name: 'an empty list of tests', text: `${HEAD}request: {}\ntests: []\n`,                    want: '10:8 a policy has from 1 to 1000 tests' },
  { name: 'an unknown transform',   text: `${HEAD}request: { fields: { $.a: tokenise } }\n${TESTS}`, want: '9:27 there is no transform `tokenise`', help: 'did you mean `tokenize`?' },
  { name: 'two transforms',         text: `${HEAD}request: { fields: { $.a: { mask: all, drop: 1 } } }\n${TESTS}`, want: '9:40 the rule names more than one transform' },
  { name: 'no transform',           text: `${HEAD}request: { fields: { $.a: { kind: name } } }\n${TESTS}`, want: '9:27 the rule does not say what is done' },
  { name: 'a mistyped transform',   text: `${HEAD}request: { fields: { $.a: { kind: name, msk: all } } }\n${TESTS}`, want: '9:41 there is no transform `msk`', help: 'did you mean `mask`?' },
  { name: 'an unknown kind',        text: `${HEAD}request: { fields: { $.a: { kind: mobil, mask: all } } }\n${TESTS}`, want: '9:35 there is no kind `mobil`', help: 'did you mean `mobile`?' },
  { name: 'a slice',                text: `${HEAD}request: { fields: { "$.a[1:]": drop } }\n${TESTS}`, want: '9:27 slices (`[a:b]`) are not part of the policy language' },
  { name: 'one path, two spellings', text: `${HEAD}request: { fields: { $.a: drop, "$['a']": keep } }\n${TESTS}`, want: '9:33 `$.a` has two rules', help: 'delete one; R1 on line 9 names it too' },
  { name: 'the root',               text: `${HEAD}request: { fields: { $: keep } }\n${TESTS}`,  want: '9:22 `$` names the whole body' },
  { name: 'a bad `to`',             text: `${HEAD}request: { fields: { $.a: { generalise: x, to: b } } }\n${TESTS}`, want: '9:48 a path starts with `$`' },
  { name: 'a header with a space',  text: `${HEAD}request: { headers: [ a b ] }\n${TESTS}`,     want: '9:23 `a b` is not a header name' },
  { name: 'an unknown {segment}',   text: `${HEAD}request: { path: { no: keep } }\n${TESTS}`,   want: '9:20 the route has no `{no}`' },
  { name: 'a bad method',           text: `${HEAD.replace('POST', 'FETCH')}request: {}\n${TESTS}`, want: '6:17 `FETCH` is not a method' },
  { name: 'a bad route path',       text: `${HEAD.replace('/x/{id}', '/x//y')}request: {}\n${TESTS}`, want: '6:29 `` cannot be a segment of a route path' },
  { name: 'a dotted route path',    text: `${HEAD.replace('/x/{id}', '/x/../y')}request: {}\n${TESTS}`, want: '6:29 a route path has no `.` or `..` segments' },
  { name: 'one name, two segments', text: `${HEAD.replace('/x/{id}', '/{x}/{x}')}request: {}\n${TESTS}`, want: '6:29 `{x}` stands twice in the path' },
  { name: 'an unknown basis',       text: `${HEAD.replace('contract', 'contrct')}request: {}\n${TESTS}`, want: '8:17 `contrct` is not a legal basis', help: 'did you mean `contract`?' },
  { name: 'a day that never was',   text: `${HEAD.replace('contract', 'contract, pia: { id: P, date: 2026-02-30 }')}request: {}\n${TESTS}`, want: '8:47 `2026-02-30` is not in the calendar' },
  { name: 'a link to many values',  text: `${HEAD}evidence: { links: { a: "$.x[*]" } }\nrequest: {}\n${TESTS}`, want: '9:25 a link names one value' },
  { name: 'a test without a body',  text: `${HEAD}request: {}\ntests: [ { name: t } ]\n`,       want: '10:10 the test has neither `request` nor `response`' },
  { name: 'a number in `never`',    text: `${HEAD}request: {}\ntests: [ { name: t, request: {}, never: [ 138 ] } ]\n`, want: '10:43 a text must be text, not the number `138`', help: 'put it in quotes: "138"' },
  { name: 'a text as version',      text: `${HEAD.replace('version: 1', 'version: "1"')}request: {}\n${TESTS}`, want: '2:10 `version` must be a whole number, not text' },
]

describe('parsePolicy', () => {
  for (const file of readdirSync('policies').filter((name) => /^(?!kinds).*\.yaml$/.test(name))) {
    it(`reads policies/${file}`, () => {
      const report = createReport()
      const text = readFileSync(`policies/${file}`, 'utf8')
      expect(
        parsePolicy(report, file, text, { transforms: TRANSFORMS })?.id,
        JSON.stringify(report.diagnostics),
      ).to.equal(file.replace('.yaml', ''))
    })
  }

  for (const { name, text, want, help } of REFUSED) {
    it(`refuses ${name}`, () => {
      const { policy, errors, diagnostics } = parse(text)
      expect(policy).to.equal(undefined)
      expect(errors, String(errors)).to.include(want)
      if (help !== undefined) expect(diagnostics.map((one) => one.help)).to.include(help)
    })
  }

  it('numbers rules in file order, request first, and keeps what they say', () => {
    const { policy, errors } = parse(`${HEAD}response: { fields: { $.z: keep } }
request:
  query: { channel: keep }
  fields:
    "$['a b'][*]..c": { kind: mobile, mask: { first: 3, last: 4 }, reason: agreed }
    $.birth: { generalise: age-band, to: $.band }
  headers: [ Accept ]
  path: { id: { kind: mobile, tokenize: opaque } }
${TESTS}`)
    expect(errors).to.deep.equal([])
    const { request, response } = policy ?? {}
    const ids = [
      request?.query,
      request?.fields,
      request?.headers,
      request?.pathParameters,
      response?.fields,
    ]
    expect(ids.flatMap((rules) => rules?.map(({ id, text }) => `${id} ${text}`))).to.deep.equal([
      'R1 query:channel',
      "R2 $['a b'][*]..c",
      'R3 $.birth',
      'R4 header:accept',
      'R5 path:id',
      'R6 $.z',
    ])
    expect(request?.fields[0]).to.deep.include({
      kind: 'mobile',
      reason: 'agreed',
      action: { transform: 'mask', with: { mask: { first: 3, last: 4 } } },
    })
    expect(request?.fields[1]?.to).to.deep.equal([{ step: 'name', name: 'band' }])
  })

  // prettier-ignore
  const PARTIES: { name: string; ids: [string, string | undefined][]; want: string[] }[] = [
    { name: 'known parties',           ids: [['a', undefined], ['b', 'http://b']],  want: [] },
    { name: 'a caller that is not there', ids: [['aa', undefined], ['b', 'http://b']], want: ['4:7 there is no party `a` in sealgate.yaml'] },
    { name: 'a recipient without a URL', ids: [['a', undefined], ['b', undefined]], want: ['5:5 the party `b` cannot be called'] },
  ]
  for (const { name, ids, want } of PARTIES) {
    it(`compares with sealgate.yaml: ${name}`, () => {
      const parties = ids.map(([id, url]) => ({
        id,
        role: 'other' as const,
        auth: [],
        ...(url === undefined ? {} : { url }),
      }))
      const report = createReport()
      parsePolicy(report, 'p.yaml', `${HEAD}request: {}\n${TESTS}`, { ...KNOWN, parties })
      expect(
        report.diagnostics.map((one) => `${one.at.line}:${one.at.column} ${one.message}`),
      ).to.deep.equal(want)
    })
  }

  it('names the bytes by their digest', () => {
    const text = `${HEAD}request: {}\n${TESTS}`
    expect(parse(text).policy?.digest).to.match(/^sha256:[0-9a-f]{64}$/)
    expect(parse(text).policy?.digest).to.not.equal(parse(`${text}# x\n`).policy?.digest)
  })
})

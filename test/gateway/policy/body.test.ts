import { expect } from 'chai'
import { createReport } from '../../../base/diagnostic.ts'
import { diffPolicies } from '../../../gateway/policy/diff.ts'
import { parsePolicy } from '../../../gateway/policy/parse.ts'
import { policyOf, policyText, TRANSFORMS } from './fixture.ts'

function errorsOf(request: string): string[] {
  const report = createReport()
  parsePolicy(report, 'p.yaml', policyText({ request }), { transforms: TRANSFORMS })
  return report.diagnostics.map(
    ({ at, message, help }) => `${at.line}:${at.column} ${message} (${help})`,
  )
}

const HOUSE = `format: csv, columns: [ no, sum ], trailer: { columns: [ n, all ], count: n, totals: { all: sum } }`

describe('body', () => {
  // prettier-ignore
  const ACCEPTED: readonly string[] = [
    '{ body: { format: json } }',
    '{ body: { format: csv, charset: gbk, delimiter: "\\x01", quote: none, type: application/octet-stream }, fields: { "$[*].a": keep } }',
    `{ body: { ${HOUSE} }, fields: { "$.rows[*].sum": keep, $.trailer.all: keep } }`,
    '{ body: { format: csv }, fields: { "$[*].a": { generalise: year, to: "$[*].b" } } }',
    '{ body: { format: text }, fields: { $: { redact: text } } }',
    '{ body: { format: binary, type: image/jpeg }, fields: { $: keep } }',
    '{ body: { format: xml, namespaces: { default: "urn:x", a: "urn:a" } }, fields: { "$.a[\'@b\']": keep } }',
  ]
  for (const request of ACCEPTED) {
    it(`takes ${request}`, () => expect(errorsOf(request)).to.deep.equal([]))
  }

  // prettier-ignore
  const REFUSED: readonly [name: string, request: string, want: string][] = [
    ['no format',              '{ body: {} }', '10:18 `body` has no `format` (add `format: …`)'],
    ['an unknown format',      '{ body: { format: cvs } }', '10:28 `cvs` is not a format (did you mean `csv`?)'],
    ['a key of another format', '{ body: { format: json, delimiter: "|" } }', '10:34 `body` has no key `delimiter`'],
    ['an unknown charset',     '{ body: { format: csv, charset: big5 } }', '10:42 `big5` is not a character set'],
    ['a delimiter in values',  '{ body: { format: csv, delimiter: "." } }', '10:44 `.` is not a delimiter'],
    ['a column twice',         '{ body: { format: csv, columns: [ a, a ] } }', '10:42 column `a` stands twice'],
    ['a count of nothing',     '{ body: { format: csv, head: { columns: [ a ], count: b } } }', '10:64 the record has no column `b`'],
    ['a total of nothing',     '{ body: { format: csv, columns: [ a ], trailer: { columns: [ t ], totals: { t: b } } } }', '10:18 the rows have no column `b`'],
    ['a total that is untrue', `{ body: { ${HOUSE} }, fields: { $.trailer.all: keep } }`, '10:133 `all` passes and is the sum of `sum`, which does not pass as it is (keep `$.rows[*].sum`, or drop the total)'],
    ['an unknown column',      `{ body: { ${HOUSE} }, fields: { "$.rows[*].som": keep } }`, '10:133 there is no column `som` (did you mean `sum`?)'],
    ['a row by its number',    '{ body: { format: csv }, fields: { "$[0].a": keep } }', '10:45 csv has no `$[0].a` (write `[*]`: rows are alike)'],
    ['a path for objects',     '{ body: { format: csv }, fields: { $.a: keep } }', '10:45 this table has no `$.a` (write `$[*].name`)'],
    ['a new name nowhere',     '{ body: { format: csv, columns: [ a ] }, fields: { "$[*].a": { generalise: year, to: "$[*].b" } } }', '10:61 a column without a name in the table cannot be renamed'],
    ['fields of a text',       '{ body: { format: text }, fields: { $.a: keep } }', '10:46 text has no fields (name all of it: `$`)'],
    ['a changed binary',       '{ body: { format: binary }, fields: { $: { mask: all } } }', '10:48 binary can only be kept'],
    ['an index in XML',        '{ body: { format: xml }, fields: { "$.a[0]": keep } }', '10:45 xml has no `$.a[0]` (leave the index out)'],
  ]
  for (const [name, request, want] of REFUSED) {
    it(`refuses ${name}`, () => {
      const [first = '', ...more] = errorsOf(request)
      expect(first.slice(0, want.length)).to.equal(want)
      expect(more).to.deep.equal([])
    })
  }

  it('is a widening when it changes: other values come under the names that pass', () => {
    const of = (columns: string) =>
      policyOf({
        request: `{ body: { format: csv, columns: ${columns} }, fields: { "$[*].a": keep } }`,
      })
    const told = diffPolicies(of('[ a, b ]'), of('[ b, a ]'))
    expect(told.map(({ effect, what, text }) => `${effect} ${what} ${text}`)).to.deep.equal([
      'widening body csv, columns a b → csv, columns b a',
    ])
  })
})

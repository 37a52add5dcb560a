import { expect } from 'chai'
import { createReport } from '../../../base/diagnostic.ts'
import { readJson } from '../../../base/json-node.ts'
import { parseYaml, toJsonText } from '../../../base/yaml.ts'
import { compareJson, textsOf } from '../../../gateway/policy/expectation.ts'
import { throwawayKeyRing } from '../../../gateway/token/ring.ts'
import { createTransforms } from '../../../gateway/transform/table.ts'
import { sampleBody } from '../../../gateway/policy/sample.ts'
import { systemClock } from '../../../base/clock.ts'

function differences(expected: string, json: string): string[] {
  const node = parseYaml(createReport(), 'p.yaml', expected)
  if (node === undefined) throw new Error('the expectation does not parse')
  const told: string[] = []
  compareJson(node, json, (at, message) => void told.push(`${at.line}:${at.column} ${message}`))
  return told
}

const TABLE = createTransforms({ keys: throwawayKeyRing(), clock: systemClock })
function changed(transform: string, value: string): string {
  const binding = {
    from: 'a',
    to: 'b',
    purpose: 'q',
    kind: 'mobile',
    direction: 'request' as const,
  }
  const parameter = transform === 'tokenize' ? 'opaque' : 'hmac-sha-256'
  const action = { transform, with: { [transform]: parameter } }
  const change = TABLE.get(transform)?.(action, binding, () => {})({
    type: 'string',
    reveal: () => value,
  })
  if (change?.change === 'token') return change.text()
  return change?.change === 'text' ? change.text : ''
}

// prettier-ignore
const SAME: { name: string; expected: string; json: string }[] = [
  { name: 'another order of keys', expected: '{ a: 1, b: 2 }',                  json: '{"b":2,"a":1}' },
  { name: 'escapes in strings',    expected: '{ a: 中 }',                       json: '{"a":"\\u4e2d"}' },
  { name: 'a number\'s spelling',  expected: '{ a: 1.10 }',                     json: '{"a":1.10}' },
  { name: 'a token by form',       expected: '{ a: { token: mobile } }',        json: `{"a":"${changed('tokenize', '13800138000')}"}` },
  { name: 'a pseudonym by form',   expected: '{ a: { pseudonym: mobile } }',    json: `{"a":"${changed('pseudonymise', '13800138000')}"}` },
  { name: 'a masked text',         expected: '{ a: { masked: "张**" } }',       json: '{"a":"张**"}' },
  { name: 'any text',              expected: '{ a: { any: text } }',            json: '{"a":"x"}' },
  { name: 'exactly a map that looks like a form', expected: '{ a: { exactly: { token: x } } }', json: '{"a":{"token":"x"}}' },
  { name: 'a `__proto__` member',  expected: '{ "__proto__": { a: 1 } }',       json: '{"__proto__":{"a":1}}' },
]

// prettier-ignore
const DIFFERENT: { name: string; expected: string; json: string; want: string[] }[] = [
  { name: 'a number spelled otherwise', expected: '{ a: 1.1 }',         json: '{"a":1.10}',      want: ['1:6 $.a should be the number `1.1` and is the number `1.10`'] },
  { name: 'a number for a text',        expected: '{ a: "1" }',         json: '{"a":1}',         want: ['1:6 $.a should be "1" and is the number `1`'] },
  { name: 'a missing member',           expected: '{ a: 1, b: 2 }',     json: '{"a":1}',         want: ['1:9 $.b is missing'] },
  { name: 'a member too many',          expected: '{ a: 1 }',           json: '{"a":1,"b":2}',   want: ['1:1 $.b should not be there'] },
  { name: 'a list too long',            expected: '[ 1 ]',              json: '[1,2]',           want: ['1:1 $[1] should not be there'] },
  { name: 'a list too short',           expected: '[ 1, 2 ]',           json: '[1]',             want: ['1:6 $[1] is missing'] },
  { name: 'a token of another kind',    expected: '{ a: { token: name } }', json: `{"a":"${changed('tokenize', '1')}"}`, want: ['1:6 $.a should be { token: name } and is a token of `mobile`'] },
  { name: 'a clear value for a token',  expected: '{ a: { token: mobile } }', json: '{"a":"13800138000"}', want: ['1:6 $.a should be { token: mobile } and is "13800138000"'] },
  { name: 'a mask that hides nothing',  expected: '{ a: { masked: 张三 } }', json: '{"a":"张三"}', want: ['1:6 $.a should be { masked: 张三 } and is "张三"'] },
  { name: 'a null for a text',          expected: '{ a: { any: text } }', json: '{"a":null}',    want: ['1:6 $.a should be { any: text } and is empty'] },
]

describe('compareJson', () => {
  for (const { name, expected, json } of SAME) {
    it(`accepts ${name}`, () => expect(differences(expected, json)).to.deep.equal([]))
  }
  for (const { name, expected, json, want } of DIFFERENT) {
    it(`tells ${name}`, () => expect(differences(expected, json)).to.deep.equal(want))
  }
})

describe('textsOf', () => {
  it('decodes what escapes hide, keys and numbers included', () => {
    expect(textsOf(readJson('{"\\u0061":["\\u4e2d",{"x":13800138000}]}'))).to.deep.equal([
      'a',
      '中',
      'x',
      '13800138000',
    ])
  })
})

describe('sampleBody', () => {
  it('keeps the spelling of numbers, and raw text as it stands', () => {
    const node = parseYaml(
      createReport(),
      'p.yaml',
      '{ n: 1.10, t: "1.10", k: { token: mobile, of: "138" } }',
    )
    const raw = parseYaml(createReport(), 'p.yaml', `'{"a":1,"a":2}'`)
    if (node === undefined || raw === undefined) throw new Error('the samples do not parse')
    expect(toJsonText(node)).to.include('"of":"138"')
    expect(sampleBody(node, (kind, value) => `${kind}/${value}`)).to.equal(
      '{"n":1.10,"t":"1.10","k":"mobile/138"}',
    )
    expect(sampleBody(raw, () => '')).to.equal('{"a":1,"a":2}')
  })
})

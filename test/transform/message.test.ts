import { expect } from 'chai'
import { Problem } from '../../base/problem.ts'
import { rewriteHeaders, rewritePath, rewriteQuery } from '../../gateway/transform/rewrite.ts'
import { compile } from './policies.ts'

function outcome(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    if (error instanceof Problem) return `${error.slug}: ${error.message}`
    throw error
  }
}

function textOf(run: () => unknown): unknown {
  const result = outcome(run)
  return typeof result === 'string' ? result : (result as { text: string }).text
}

describe('rewriteQuery', () => {
  const query = { '$.a': 'keep', '$.b': 'length', '$.c': 'drop', '$.手机': 'length' }
  // prettier-ignore
  const CASES: readonly [raw: string, want: string][] = [
    ['', ''],
    ['a=1', 'a=1'],
    ['a=%e4%B8%ad+x%2B', 'a=%e4%B8%ad+x%2B'],
    ['x=1&a=2&y=3', 'a=2'],
    ['x=1&a=2&b=a%20c&c=1', 'a=2&b=%233'],
    ['%61=1', '%61=1'],
    ['a=', 'a='],
    ['a=b=c', 'a=b=c'],
    ['%E6%89%8B%E6%9C%BA=13800138000', '%E6%89%8B%E6%9C%BA=%2311'],
    ['a', 'request-malformed: at byte 0: expected `name=value`'],
    ['a=1&', 'request-malformed: at byte 4: expected `name=value`'],
    ['a=1&&b=2', 'request-malformed: at byte 4: expected `name=value`'],
    ['a=1&b&c=2', 'request-malformed: at byte 4: expected `name=value`'],
    ['a=1&%61=2', 'request-malformed: at byte 4: the form has this name twice'],
    ['x=1&x=2', 'request-malformed: at byte 4: the form has this name twice'],
    ['a=1&b=%ff', 'request-malformed: at byte 4: expected escapes of UTF-8'],
    ['a=%', 'request-malformed: at byte 0: expected escapes of UTF-8'],
    ['a=%ED%A0%80', 'request-malformed: at byte 0: expected escapes of UTF-8'],
    ['a=中', 'request-malformed: at byte 2: expected visible ASCII'],
    ['a=1 2', 'request-malformed: at byte 3: expected visible ASCII'],
  ]
  for (const [raw, want] of CASES) {
    it(`answers ${raw}`, () => {
      const { route } = compile({ query })
      expect(textOf(() => rewriteQuery(route.request, raw))).to.equal(want)
    })
  }

  it('counts, and refuses what no rule names where the policy wants it', () => {
    const { route } = compile({ query, unnamed: 'refuse' })
    expect(outcome(() => rewriteQuery(route.request, 'b=1'))).to.deep.equal({
      text: 'b=%231',
      manifest: [{ rule: 'R2', path: '$.b', action: 'length', count: 1 }],
      unnamed: 0,
    })
    expect(outcome(() => rewriteQuery(route.request, 'x=1'))).to.equal(
      'policy-refused: no rule names the value at byte 2, `$[*]`',
    )
  })
})

describe('rewritePath', () => {
  const sketch = {
    path: '/loans/{loan}/of/{who}',
    parameters: { '$.loan': 'keep', '$.who': 'length' },
  }
  // prettier-ignore
  const CASES: readonly [raw: string, want: string][] = [
    ['/loans/L%2d1/of/13800138000', '/loans/L%2d1/of/%2311'],
    ['/loans/%E4%B8%AD/of/x', '/loans/%E4%B8%AD/of/%231'],
    ['/loans/%2E%2e/of/x', 'value-unsuitable: `$.loan`: it changes the path'],
    ['/loans/a%2Fb/of/x', 'value-unsuitable: `$.loan`: it changes the path'],
    ['/loans//of/x', 'value-unsuitable: `$.loan`: it changes the path'],
    ['/loans/%ff/of/x', 'request-malformed: a path segment has escapes that are not UTF-8'],
  ]
  for (const [raw, want] of CASES) {
    it(`answers ${raw}`, () => {
      const { route, complaints } = compile(sketch)
      expect(complaints).to.deep.equal([])
      expect(textOf(() => rewritePath(route.request, raw))).to.equal(want)
    })
  }
})

describe('rewriteHeaders', () => {
  it('passes named fields, in order, and counts the others', async () => {
    const { route } = compile({
      headers: { '$.accept': 'keep', "$['x-a']": 'length', "$['x-b']": 'later-drop' },
    })
    const fields = [
      ['x-a', 'abc'],
      ['cookie', 'secret'],
      ['accept', '*/*'],
      ['accept', 'a/b'],
      ['x-b', '1'],
    ] as const
    expect(await rewriteHeaders(route.request, fields)).to.deep.equal({
      headers: [
        ['x-a', '#3'],
        ['accept', '*/*'],
        ['accept', 'a/b'],
      ],
      manifest: [
        { rule: 'R2', path: "$['x-a']", action: 'length', count: 1 },
        { rule: 'R1', path: '$.accept', action: 'keep', count: 2 },
        { rule: 'R3', path: "$['x-b']", action: 'later-drop', count: 1 },
      ],
      unnamed: 1,
    })
  })

  it('refuses a value that would end the field', () => {
    const { route } = compile({ headers: { '$.accept': 'keep' } })
    expect(outcome(() => rewriteHeaders(route.request, [['accept', 'a\r\nx: 1']]))).to.equal(
      'value-unsuitable: `$.accept`: it is no field value',
    )
  })
})

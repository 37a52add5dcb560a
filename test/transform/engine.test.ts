import { expect } from 'chai'
import { inspect } from 'node:util'
import { Problem } from '../../base/problem.ts'
import { rewriteBody } from '../../gateway/transform/rewrite.ts'
import type { Rewritten } from '../../gateway/transform/transform.ts'
import { compile } from './policies.ts'

type Sketch = Parameters<typeof compile>[0]

function rewrite(sketch: Sketch, body: string): Rewritten {
  const { route, complaints } = compile(sketch)
  expect(complaints).to.deep.equal([])
  return rewriteBody(route.request, Buffer.from(body)) as Rewritten
}

function problemOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof Problem) return `${error.slug}: ${error.message}`
    throw error
  }
  return 'accepted'
}

describe('rewriteBody', () => {
  // prettier-ignore
  const TABLE: { name: string; fields: Record<string, string>; body: string; want: string }[] = [
    { name: 'keeps nothing by default',       fields: {},                             body: '{"a":1,"b":[2]}',                     want: '{}' },
    { name: 'keeps a document as it came',    fields: { $: 'keep' },                  body: ' { "a" : 1.10 , "b":[ ] } ',          want: ' { "a" : 1.10 , "b":[ ] } ' },
    { name: 'keeps numbers and escapes',      fields: { '$.a': 'keep', '$.b': 'keep' }, body: '{"a":12345678901234567890,"x":0,"b":"\\u4e2d\\/"}', want: '{"a":12345678901234567890,"b":"\\u4e2d\\/"}' },
    { name: 'keeps order',                    fields: { '$.a': 'keep', '$.b': 'keep' }, body: '{"b":1,"a":2}',                   want: '{"b":1,"a":2}' },
    { name: 'drops the first with its comma', fields: { '$.b': 'keep' },              body: '{ "a" : 1 , "b" : 2 }',               want: '{ "b" : 2 }' },
    { name: 'drops the last with its comma',  fields: { '$.a': 'keep' },              body: '{ "a" : 1 , "b" : 2 }',               want: '{ "a" : 1 }' },
    { name: 'drops the middle',               fields: { '$.a': 'keep', '$.c': 'keep' }, body: '{"a":1,"b":2,"c":3}',               want: '{"a":1,"c":3}' },
    { name: 'moves array elements up',        fields: { '$[1]': 'drop', '$[*]': 'keep' }, body: '[0, 1, 2]',                       want: '[0, 2]' },
    { name: 'keeps one index alone',          fields: { '$[1]': 'keep' },             body: '[0,[1],2]',                           want: '[[1]]' },
    { name: 'changes to a text',              fields: { '$.a': 'length' },            body: '{"a" : "\\u4e2dx" }',                 want: '{"a" : "#2" }' },
    { name: 'changes to JSON',                fields: { '$.a': 'constant' },          body: '{"a":"x"}',                           want: '{"a":0}' },
    { name: 'shows the number as it is spelt', fields: { '$.a': 'length' },           body: '{"a":1.100}',                         want: '{"a":"#5"}' },
    { name: 'drops a subtree',                fields: { '$.a': 'drop', '$.b': 'keep' }, body: '{"a":{"b":[{}]},"b":1}',            want: '{"b":1}' },
    { name: 'drops inside a kept subtree',    fields: { '$.a': 'keep', '$.a.b': 'drop' }, body: '{"a":{"b":1, "c":2}}',            want: '{"a":{ "c":2}}' },
    { name: 'drops anywhere in a kept subtree', fields: { '$.a': 'keep', '$..m': 'drop' }, body: '{"a":{"b":{"m":1,"n":2},"m":3}}', want: '{"a":{"b":{"n":2}}}' },
    { name: 'never enters a dropped subtree', fields: { '$.a': 'drop', '$.a.b': 'keep' }, body: '{"a":{"b":1}}',                   want: '{}' },
    { name: 'leaves a spelled container',     fields: { '$.a.b': 'keep' },            body: '{"a":{"x":1}}',                       want: '{"a":{}}' },
    { name: 'leaves an element',              fields: { '$.a[*].b': 'keep' },         body: '{"a":[{"x":1},{"b":2},3]}',           want: '{"a":[{},{"b":2}]}' },
    { name: 'hides names under a wildcard',   fields: { '$.*.b': 'keep' },            body: '{"u":{"x":1},"v":{"b":2},"w":{"x":3}}', want: '{"v":{"b":2}}' },
    { name: 'hides nested names',             fields: { '$..b': 'keep' },             body: '{"u":{"v":{"w":{}}},"b":1,"t":[{}]}', want: '{"b":1}' },
    { name: 'keeps names on the way',         fields: { '$..b': 'keep' },             body: '{"u":{"x":0,"v":{"b":2}}}',           want: '{"u":{"v":{"b":2}}}' },
    { name: 'does not take a scalar for a way', fields: { '$.a.b': 'keep' },          body: '{"a":"secret"}',                      want: '{}' },
    { name: 'matches a name by its characters', fields: { '$.ab': 'keep' },           body: '{"\\u0061b":1}',                      want: '{"\\u0061b":1}' },
    { name: 'matches Han names',              fields: { '$.姓名': 'keep' },           body: '{"姓名":"\\u674e","手机":"1"}',       want: '{"姓名":"\\u674e"}' },
    { name: 'knows names from indexes',       fields: { "$['0']": 'keep', '$[1]': 'drop' }, body: '{"0":1,"1":2}',                 want: '{"0":1}' },
    { name: 'prefers a name to a wildcard',   fields: { '$.a': 'drop', '$.*': 'keep' }, body: '{"a":1,"b":2}',                     want: '{"b":2}' },
    { name: 'prefers a wildcard to a descendant', fields: { '$.*': 'keep', '$..a': 'drop' }, body: '{"a":1,"b":{"a":2,"c":3}}',    want: '{"a":1,"b":{"c":3}}' },
    { name: 'prefers the earlier name',       fields: { '$.a.*': 'keep', '$.*.b': 'drop' }, body: '{"a":{"b":1},"c":{"b":2}}',     want: '{"a":{"b":1}}' },
    { name: 'prefers the longer path',        fields: { '$..a.b': 'keep', '$..b': 'drop' }, body: '{"a":{"b":1},"b":2}',           want: '{"a":{"b":1}}' },
    { name: 'renames in place',               fields: { '$.a': 'length > $.b' },      body: '{"x":0, "a" : "yes" }',               want: '{ "b" : "#3" }' },
    { name: 'renames what it keeps',          fields: { '$.a': 'keep > $.b' },        body: '{"a":{"c":1}}',                       want: '{"b":{"c":1}}' },
    { name: 'reserves the new name',          fields: { '$.*': 'keep', '$.a': 'length > $.b' }, body: '{"b":"mine","a":"yes"}',    want: '{"b":"#3"}' },
    { name: 'takes a scalar document',        fields: { $: 'length' },                body: ' "abc" ',                             want: ' "#3" ' },
  ]
  for (const { name, fields, body, want } of TABLE) {
    it(name, () => expect(rewrite({ fields }, body).bytes.toString()).to.equal(want))
  }

  // prettier-ignore
  const REFUSED: { name: string; sketch: Sketch; body: string; want: string }[] = [
    { name: 'an unnamed value',             sketch: { unnamed: 'refuse', fields: { '$.a': 'keep' } },   body: '{"a":1,"b":2}',    want: 'policy-refused: no rule names the value at byte 11, `$[*]`' },
    { name: 'an unnamed container',         sketch: { unnamed: 'refuse', fields: { '$.a': 'keep' } },   body: '{"a":1,"b":{}}',   want: 'policy-refused: no rule names the value at byte 11, `$[*]`' },
    { name: 'an unnamed empty container',   sketch: { unnamed: 'refuse', fields: { '$.*.a': 'keep' } }, body: '{"u":{}}',         want: 'policy-refused: no rule names the value at byte 5, `$[*]`' },
    { name: 'a container under a transform', sketch: { fields: { '$.a': 'length' } },                   body: '{"a":[]}',         want: 'policy-refused: `$.a` takes a single value, received a container at byte 5' },
    { name: 'an unnamed scalar document',   sketch: { fields: { '$.a': 'keep' } },                      body: '"a"',              want: 'policy-refused: the body is a single value that may not pass' },
    { name: 'what a transform refuses',     sketch: { fields: { '$.a': 'refuse' } },                    body: '{"a":1}',          want: 'value-unsuitable: `$.a`: not today' },
    { name: 'a malformed tail',             sketch: { fields: { '$.a': 'keep' } },                      body: '{"a":1} x',        want: 'body-malformed: at byte 8: expected nothing after the document' },
    { name: 'a repeated name in a dropped subtree', sketch: { fields: { '$.a': 'drop' } },              body: '{"a":{"b":1,"\\u0062":2}}', want: 'body-malformed: at byte 13: the object has this name twice' },
  ]
  for (const { name, sketch, body, want } of REFUSED) {
    it(`refuses ${name}`, () => expect(problemOf(() => rewrite(sketch, body))).to.equal(want))
  }

  it('lists rules met with counts, unnamed values and claims', () => {
    const fields = { '$.a[*].m': 'length', '$.a[*].n': 'keep', '$.z': 'drop', '$.never': 'keep' }
    const body = `{"a":[{"m":"x","n":1},{"m":2.0}],"z":{"k":[1, 2]},"it's":"\\u0041"}`
    const { manifest, unnamed, claims } = rewrite({ fields }, body)
    expect(manifest).to.deep.equal([
      { rule: 'R1', path: '$.a[*].m', action: 'length', count: 2 },
      { rule: 'R2', path: '$.a[*].n', action: 'keep', count: 1 },
      { rule: 'R3', path: '$.z', action: 'drop', count: 1 },
    ])
    expect(unnamed).to.equal(1)
    expect(claims).to.deep.equal([
      { name: 'f:$.a[0].m', json: '"x"' },
      { name: 'f:$.a[1].m', json: '2.0' },
      { name: 'f:$.z', json: '{"k":[1, 2]}' },
      { name: `f:$['it\\'s']`, json: '"\\u0041"' },
    ])
  })

  it('captures values where they are dropped, kept or changed', () => {
    const sketch = {
      fields: { '$.a': 'length' },
      links: { one: '$.a', two: '$.b.c[1]', same: '$.a', none: '$.x' },
      consent: '$.consent',
    }
    const { bytes, captured } = rewrite(
      sketch,
      '{"a":"\\u0041","b":{"c":[1,2.0]},"consent":{ "k":1 }}',
    )
    expect(bytes.toString()).to.equal('{"a":"#1"}')
    expect([...captured].map(([name, value]) => [name, value.type, value.reveal()])).to.deep.equal([
      ['links.one', 'string', 'A'],
      ['links.same', 'string', 'A'],
      ['links.two', 'number', '2.0'],
      ['legal.consent', 'object', '{ "k":1 }'],
    ])
    expect(
      `${inspect(captured)}${JSON.stringify([...captured])}${String(captured.get('links.one'))}`,
    ).to.not.include('2.0')
  })

  it('awaits what is answered later, and splices it in', async () => {
    const fields = { '$[0]': 'later-drop', '$[1]': 'later', '$[2]': 'length' }
    const rewritten = rewrite({ fields }, '["a", "b", "c"]') as unknown as Promise<Rewritten>
    expect(rewritten).to.be.instanceOf(Promise)
    const { bytes, claims } = await rewritten
    expect(bytes.toString()).to.equal('[ "late", "#1"]')
    expect(claims.map(({ name }) => name)).to.deep.equal(['f:$[0]', 'f:$[1]', 'f:$[2]'])
  })

  it('tells a transform the value of a link, wherever it stands', async () => {
    const sketch = { fields: { '$.born': 'linked' }, links: { id: '$.who.id' } }
    const { bytes } = await rewrite(sketch, '{"born":"1990","who":{"id":"A-\\u0031"}}')
    expect(bytes.toString()).to.equal('{"born":"A-1"}')
    const { route } = compile(sketch)
    const refused = rewriteBody(route.request, Buffer.from('{"born":"1990","who":{"id":null}}'))
    const problem = await (refused as Promise<Rewritten>).catch((error: unknown) => error)
    expect(problem).to.be.instanceOf(Problem).with.property('message', '`$.born`: no link')
  })

  it("names the response's claims apart", () => {
    const { route } = compile({ fields: {} })
    const { claims } = rewriteBody(route.response, Buffer.from('{"a":1}')) as Rewritten
    expect(claims).to.deep.equal([{ name: 'r:$.a', json: '1' }])
  })
})

import { expect } from 'chai'
import { rewriteBody } from '../../gateway/transform/rewrite.ts'
import { compile } from './policies.ts'

describe('compileRoute', () => {
  const wide = `$${'.*'.repeat(14)}`.replace('.*', '..a')
  // prettier-ignore
  const COMPLAINTS: { name: string; sketch: Parameters<typeof compile>[0]; want: string }[] = [
    { name: 'two paths of equal right',       sketch: { fields: { '$.a': 'keep', "$['a']": 'drop' } },      want: "2: `$['a']` and `$.a` may select one value, with equal right" },
    { name: 'two descendants that may meet',  sketch: { fields: { '$..a..c': 'keep', '$..b..c': 'drop' } }, want: '2: `$..b..c` and `$..a..c` may select one value, with equal right' },
    { name: 'a target that a rule decides',   sketch: { fields: { '$.a': 'keep > $.b', '$.b': 'keep' } },   want: '1: `$.a` and `$.b` may select one value, with equal right' },
    { name: 'two rules with one target',      sketch: { fields: { '$.a': 'keep > $.c', '$.b': 'keep > $.c' } }, want: '2: `$.b` and `$.a` may select one value, with equal right' },
    { name: 'a target in another object',     sketch: { fields: { '$.a.b': 'keep > $.b' } },                want: '1: `to` leads out of the object' },
    { name: 'a target for many names',        sketch: { fields: { '$.*': 'keep > $.b' } },                  want: '1: `to` leads out of the object' },
    { name: 'an unknown transform',           sketch: { fields: { '$.a': 'shred' } },                       want: '1: unknown transform `shred`' },
    { name: 'a dropped body',                 sketch: { fields: { $: 'drop' } },                            want: '1: `drop` would leave no body' },
    { name: 'a link to many values',          sketch: { links: { who: '$..id' } },                          want: '1: `links.who` may select many values' },
    { name: 'a path parameter without a rule', sketch: { path: '/a/{id}' },                                 want: '1: no rule names the path parameter `id`' },
    { name: 'a dropped path parameter',       sketch: { path: '/a/{id}', parameters: { '$.id': 'drop' } },  want: '1: a path segment cannot be dropped' },
    { name: 'paths that multiply states',     sketch: { fields: { [wide]: 'keep' } },                       want: '1: these paths need over 4096 states' },
  ]
  for (const { name, sketch, want } of COMPLAINTS) {
    // Both directions have the same fields, so each is told of.
    it(`complains of ${name}`, () =>
      expect([...new Set(compile(sketch).complaints)]).to.deep.equal([want]))
  }

  it('lets nothing pass through a rule that it could not bind', () => {
    const { route } = compile({ fields: { '$.a': 'shred' } })
    expect(() => rewriteBody(route.request, Buffer.from('{"a":1}'))).to.throw(
      'the rule is not valid',
    )
  })
})

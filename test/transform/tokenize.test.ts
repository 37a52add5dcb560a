import { expect } from 'chai'
import { throwawayKeyRing } from '../../gateway/token/ring.ts'
import { compileRoute } from '../../gateway/transform/compile.ts'
import { readFormat } from '../../gateway/transform/format.ts'
import { rewriteBody } from '../../gateway/transform/rewrite.ts'
import type { Rewritten } from '../../gateway/transform/transform.ts'
import { bind, number, text, textOf } from './bind.ts'
import { policy } from './policies.ts'

const REFUSED = {
  change: 'refuse',
  why: 'expected a `mobile` token made for this recipient and purpose',
}
const MOBILE = '13800138000'

describe('tokenize and reveal', () => {
  const ports = { keys: throwawayKeyRing() }
  const platform = { from: 'sunrise', to: 'harbour', purpose: 'credit', kind: 'mobile' }
  const token = textOf(
    bind('tokenize', { tokenize: 'opaque' }, { ports, binding: platform })(text(MOBILE)),
  )
  const reveal = (binding: object, parameters = {}) =>
    bind(
      'reveal',
      { reveal: 'mobile', ...parameters },
      { ports, binding: { ...platform, ...binding } },
    )

  it('gives the value back to its owner in the response', () => {
    const change = reveal({ direction: 'response' })(text(token))
    expect(change).to.deep.equal({ change: 'text', text: MOBILE })
  })

  it('gives the value back to its owner in a call from the holder', () => {
    const change = reveal({ from: 'harbour', to: 'sunrise' })(text(token))
    expect(change).to.deep.equal({ change: 'text', text: MOBILE })
  })

  // prettier-ignore
  const FOREIGN: [string, object][] = [
    ['to the holder itself',               { direction: 'request' }],
    ['from another holder',                { direction: 'response', to: 'island' }],
    ['to another caller',                  { direction: 'response', from: 'sunset' }],
    ['for another purpose',                { direction: 'response', purpose: 'collection' }],
    ['in a call from another holder',      { from: 'island', to: 'sunrise' }],
    ['in the answer to the owner\'s peer', { from: 'harbour', to: 'sunrise', direction: 'response' }],
  ]
  for (const [name, binding] of FOREIGN) {
    it(`refuses a token ${name}`, () => {
      expect(reveal(binding)(text(token))).to.deep.equal(REFUSED)
      expect(reveal(binding, { otherwise: 'drop' })(text(token))).to.deep.equal({ change: 'drop' })
    })
  }

  it('refuses what is no token, never passing it on', () => {
    const home = reveal({ direction: 'response' })
    for (const value of [
      text(MOBILE),
      text(''),
      text(token + ' '),
      text(token.slice(0, -12)),
      number('13800138000'),
    ]) {
      expect(home(value)).to.deep.equal(REFUSED)
    }
  })

  it('refuses a token of another kind', () => {
    const other = textOf(
      bind('tokenize', {}, { ports, binding: { ...platform, kind: 'email' } })(text(MOBILE)),
    )
    expect(reveal({ direction: 'response' })(text(other))).to.deep.equal(REFUSED)
  })

  it('gives a number and its text the same token', () => {
    const tokenize = bind('tokenize', {}, { ports, binding: platform })
    expect(textOf(tokenize(number(MOBILE)))).to.equal(token)
  })

  it('refuses a lone surrogate', () => {
    expect(bind('tokenize')(text('\udc00'))).to.have.property('change', 'refuse')
  })

  it('keeps what the bank sends apart from what the platform sends', () => {
    const answer = bind('tokenize', {}, { ports, binding: { ...platform, direction: 'response' } })
    expect(textOf(answer(text(MOBILE)))).to.not.equal(token)
  })
})

describe('a token in a body', () => {
  const head = '--x\r\nContent-Disposition: form-data; name="f"; filename="'
  // prettier-ignore
  const BODIES: [type: string, paths: string[], body: string, want: string][] = [
    ['application/json',                  ['$.a', '$.b[*]'], '{"a":"138","b":[1],"c":1}', '{"a":"TOKEN","b":["TOKEN"]}'],
    ['application/x-www-form-urlencoded', ['$.a'],          'a=138&b=1',                 'a=TOKEN'],
    ['application/xml',                   ['$.r.a', "$.r.b['@x']", "$.r.b['#text']", '$.r.c'], '<r><a>1</a><b x="2">3</b><c/></r>', '<r><a>TOKEN</a><b x="TOKEN">TOKEN</b><c>TOKEN</c></r>'],
    ['text/csv',                          ['$[*].a'],       'a,b\n"138",1\n',            'a\nTOKEN\n'],
    ['multipart/form-data; boundary=x',   ['$.f.filename'], `${head}a b.txt"\r\n\r\n1\r\n--x--\r\n`, `${head}TOKEN"\r\n\r\n\r\n--x--\r\n`],
  ]
  for (const [type, paths, body, want] of BODIES) {
    it(`stands as the format writes texts: ${type}`, () => {
      let made = 0
      const late = () => ({ change: 'token', text: () => `tok_x_1_${++made}` }) as const
      const table = new Map([['tokenize', () => late]])
      const fields = Object.fromEntries(paths.map((path) => [path, 'tokenize']))
      const { request } = compileRoute(policy({ fields }), table, () => undefined)
      const { bytes } = rewriteBody(request, Buffer.from(body), readFormat(type)) as Rewritten
      let seen = 0
      const expected = want.replace(/TOKEN/g, () => `tok_x_1_${++seen}`)
      expect(bytes.toString()).to.equal(expected)
    })
  }
})

import { expect } from 'chai'
import fc from 'fast-check'
import { Problem } from '../../base/problem.ts'
import type { Allowed } from '../../gateway/guard/allowed.ts'
import { type OutboundMessage, createGuard } from '../../gateway/guard/guard.ts'
import { createDetect } from '../../gateway/guard/detect.ts'
import { REFUSE_SCORE } from '../../gateway/guard/limits.ts'
import { createCorpus, toBodies } from '../fixtures/people/corpus.ts'
import { loadDictionary } from './dictionary.ts'

const guard = createGuard(loadDictionary())
const NONE: Allowed = new Map()
const message = (part: Partial<OutboundMessage>): OutboundMessage => ({
  headers: [],
  query: '',
  path: '/credit/applications',
  body: new Uint8Array(),
  mediaType: '',
  allowed: NONE,
  ...part,
})
/** What the policy spells out; other names are not shown. */
const names = new Set(['a', 'x', 'realName', 'ext', 'applicationId', 'card', 'cvv'])
const json = (body: string, allowed = NONE) =>
  message({ body: Buffer.from(body), mediaType: 'application/json; charset=utf-8', allowed, names })

const hex = (text: string) => Buffer.from(text).toString('hex')
const base64 = (text: string) => Buffer.from(text).toString('base64')
const escaped = (text: string) =>
  text.replace(/./gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
const percent = (text: string) => hex(text).replace(/../g, '%$&')

// prettier-ignore
const LEAKS: { name: string; message: OutboundMessage; want: string }[] = [
  { name: 'a mobile number in a body',      message: json('{"a":{"x":"13800138000"}}'),              want: '`mobile` (C2) in the body at byte 11, `$.a.x`' },
  { name: 'a mobile as a JSON number',      message: json('{"x":13800138000}'),                      want: '`mobile` (C2) in the body at byte 5, `$.x`' },
  { name: 'a number with an exponent',      message: json('{"x":1.3800138e10}'),                     want: '`mobile` (C2) in the body at byte 5, `$.x`' },
  { name: 'a number with a zero fraction',  message: json('{"x":13800138000.0}'),                    want: '`mobile` (C2) in the body at byte 5, `$.x`' },
  { name: 'a resident id in an array',      message: json('[["11010519491231002X"]]'),               want: '`resident-id` (C2) in the body at byte 3, `$[0][0]`' },
  { name: 'a mobile as a member name',      message: json('{"13800138000":1}'),                      want: '`mobile` (C2) in the body at byte 2, `$`' },
  { name: 'a name by its field',            message: json('{"realName":"张三"}'),                    want: '`name` (C2) in the body at byte 13, `$.realName`' },
  { name: 'a name after its subtree',       message: json('{"p":{"x":1},"realName":"张三"}'),        want: '`name` (C2) in the body at byte 25, `$.realName`' },
  { name: 'names in an array of that name', message: json('{"contactName":["李四"]}'),               want: '`name` (C2) in the body at byte 17, `$[*][0]`' },
  { name: 'an escaped member name',         message: json('{"real\\u004eame":"张三"}'),              want: '`name` (C2) in the body at byte 18, `$.realName`' },
  { name: 'a card in free text',            message: json('{"remark":"卡号6217000012345678907。"}'), want: '`bank-card` (C2) in the body at byte 11, `$[*]`' },
  { name: 'an e-mail',                      message: json('{"x":"zhang@126.com"}'),                  want: '`email` (C2) in the body at byte 6, `$.x`' },
  { name: 'JSON in a string',               message: json('{"ext":"{\\"mobile\\":\\"13800138000\\"}"}'), want: '`mobile` (C2) in the body at byte 8, `$.ext`; `mobile` (C2) in the body at byte 8, `$.ext` inside json' },
  { name: 'base64',                         message: json(`{"x":"${base64('mobile=13800138000')}"}`), want: '`mobile` (C2) in the body at byte 6, `$.x` inside base64; `mobile` (C2) in the body at byte 6, `$.x` inside base64, form' },
  { name: 'base64 of a name by its field',  message: json(`{"realName":"${base64('张三')}"}`),       want: '`name` (C2) in the body at byte 13, `$.realName` inside base64' },
  { name: 'hexadecimal',                    message: json(`{"x":"${hex('11010519491231002X')}"}`),   want: '`resident-id` (C2) in the body at byte 6, `$.x` inside hex' },
  { name: 'percent encoding',               message: json(`{"x":"${percent('13800138000')}"}`),      want: '`mobile` (C2) in the body at byte 6, `$.x` inside percent' },
  { name: 'JSON escapes',                   message: json(`{"x":"${escaped('13800138000')}"}`),      want: '`mobile` (C2) in the body at byte 6, `$.x`' },
  { name: 'doubled escapes',                message: json(`{"x":"${escaped('13800138000').replaceAll('\\', '\\\\')}"}`), want: '`mobile` (C2) in the body at byte 6, `$.x` inside escape' },
  { name: 'HTML entities',                  message: json('{"x":"&#49;&#x33;&#56;00138000"}'),       want: '`mobile` (C2) in the body at byte 6, `$.x` inside entity' },
  { name: 'a callback URL',                 message: json('{"url":"https://a.example/cb?m=13800138000"}'), want: '`mobile` (C2) in the body at byte 8, `$[*]`; `mobile` (C2) in the body at byte 8, `$[*]` inside form' },
  { name: 'a query parameter',              message: message({ query: 'a=1&m=138%200013%208000' }),  want: '`mobile` (C2) in the query `2`' },
  { name: 'a path segment',                 message: message({ path: '/users/13800138000' }),        want: '`mobile` (C2) in the path' },
  { name: 'an encoded path segment',        message: message({ path: `/users/${percent('13800138000')}` }), want: '`mobile` (C2) in the path inside percent' },
  { name: 'a header',                       message: message({ headers: [['X-User', '13800138000']] }), want: '`mobile` (C2) in the header `x-user`' },
  { name: 'a row of a table',               message: message({ body: Buffer.from('a,x\n1,2\n3,13800138000\n'), mediaType: 'text/csv' }), want: '`mobile` (C2) in the body, row 2, column 2' },
  { name: 'a name of a column',             message: message({ body: Buffer.from('a,13800138000\n1,2\n'), mediaType: 'text/csv' }),    want: '`mobile` (C2) in the body, the row of names, column 2' },
  { name: 'a line of JSON',                 message: message({ body: Buffer.from('{"a":1}\n{"a":{"x":"13800138000"}}\n'), mediaType: 'application/x-ndjson', names }), want: '`mobile` (C2) in the body, row 2, `$[1].a.x`' },
  { name: 'a part of long rows',            message: message({ body: Buffer.from('\n{"x":"13800138000"}'), mediaType: 'application/x-ndjson', names, before: () => ({ bytes: 4000, rows: 99 }) }), want: '`mobile` (C2) in the body, row 100, `$[99].x`' },
  { name: 'a part of a long table',         message: message({ body: Buffer.from('\r\n1\r\n13800138000\r\n'), mediaType: 'text/csv', dialect: { format: 'csv', csv: { delimiter: ',', quote: 'none', columns: ['x'] } }, before: () => ({ bytes: 4000, rows: 99 }) }), want: '`mobile` (C2) in the body, row 101, column 1' },
  { name: 'a part of a long text',          message: message({ body: Buffer.from('x 13800138000'), mediaType: 'text/plain', before: () => ({ bytes: 4000, rows: 0 }) }), want: '`mobile` (C2) in the body at byte 4000' },
  { name: 'a form body',                    message: message({ body: Buffer.from('realName=%E5%BC%A0%E4%B8%89'), mediaType: 'application/x-www-form-urlencoded' }), want: '`name` (C2) in the body `1`' },
  { name: 'a text body',                    message: message({ body: Buffer.from('借款人：张三'), mediaType: 'text/plain' }), want: '`name` (C2) in the body at byte 0' },
  { name: 'a file name',                    message: json('{"file":"11010519491231002X_front.jpg"}'),    want: '`resident-id` (C2) in the body at byte 9, `$[*]`' },
  { name: 'a file name in a multipart body', message: message({ body: Buffer.from(`--b\r\nContent-Disposition: form-data; name="f"; filename*=UTF-8''${percent('13800138000.jpg')}\r\n\r\nx\r\n--b--`), mediaType: 'multipart/form-data; boundary=b' }), want: '`mobile` (C2) in the body `part 2` inside percent' },
  { name: 'JSON in base64 in JSON',         message: json(`{"data":"${base64('{"realName":"张三"}')}"}`),  want: '`name` (C2) in the body at byte 9, `$[*]` inside base64, json' },
  { name: 'a body that is not JSON',        message: json('}]"x":13800138000'),                      want: '`mobile` (C2) in the body at byte 6' },
  { name: 'an unclosed string',             message: json('{"x":"13800138000'),                      want: '`mobile` (C2) in the body at byte 6' },
  { name: 'a card for an order number',     message: json('{"orderNo":"6217000012345678907"}'),        want: '`bank-card` (C2) in the body at byte 12, `$[*]`' },
  { name: 'a mobile for an application',    message: json('{"applicationId":"18657103389"}'),          want: '`mobile` (C2) in the body at byte 18, `$.applicationId`' },
  { name: 'a mobile for an amount',         message: json('{"amount":18657103389}'),                   want: '`mobile` (C2) in the body at byte 10, `$[*]`' },
  { name: 'a C3 field',                     message: json('{"cvv2":"123"}'),                         want: '`cvv` (C3) in the body at byte 9, `$[*]`' },
  { name: 'a C3 field, numeric',            message: json('{"card":{"cvv":123}}'),                   want: '`cvv` (C3) in the body at byte 15, `$.card.cvv`' },
  { name: 'a C3 field, tokenized',          message: json('{"password":"tok_password_1_abcdef"}'),   want: '`password` (C3) in the body at byte 13, `$[*]`' },
]
// prettier-ignore
const CLEAN: { name: string; message: OutboundMessage }[] = [
  { name: 'nothing',                    message: message({}) },
  { name: 'tokens in personal fields',  message: json('{"mobile":"tok_mobile_1_abcdefghijkl","idNumber":"tok_resident-id_12_abcdefghijkl","realName":"tok_name_1_abcdef"}') },
  { name: 'masked values',              message: json('{"mobile":"138****8000","realName":"张**","idNumber":"1****************X","password":"******"}') },
  { name: 'an amount and a time',       message: json('{"amount":"13800138000.00","at":"2026-11-24T10:00:00+08:00","ms":1732400000000}') },
  { name: 'an order number',            message: json('{"orderNo":"2026110012345678907"}') },
  { name: 'a hotline',                  message: json('{"remark":"请致电95588或400-820-8820"}') },
  { name: 'a case number',              message: json('{"remark":"（2024）京0105民初12345号"}') },
  { name: 'flags about C3',             message: json('{"password":null,"fingerprint":true,"cvv":""}') },
  { name: 'a digest',                   message: json('{"x":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}') },
]

describe('guard', () => {
  for (const { name, message, want } of LEAKS) {
    it(`refuses ${name}`, () => {
      expect(() => guard.inspect(message))
        .to.throw(Problem, `found ${want}`)
        .with.property('slug', 'leak-detected')
    })
  }
  for (const { name, message } of CLEAN) {
    it(`lets pass ${name}`, () => expect(() => guard.inspect(message)).to.not.throw())
  }
  it('lets pass what a rule allows, at that place only', () => {
    const allowed: Allowed = new Map([['mobile', new Set(['body:mobile'])]])
    const hits = guard.inspect(json('{"mobile":"13800138000"}', allowed))
    expect(hits.map((hit) => hit.kind)).to.deep.equal(['mobile'])
    expect(() => guard.inspect(json('{"remark":"13800138000"}', allowed))).to.throw(Problem)
    expect(() => guard.inspect(message({ query: 'mobile=13800138000', allowed }))).to.throw(Problem)
  })
  it('never lets C3 pass', () => {
    const allowed: Allowed = new Map([['cvv', new Set(['body:*', 'body:cvv'])]])
    expect(() => guard.inspect(json('{"cvv":"123"}', allowed))).to.throw(Problem, '`cvv` (C3)')
  })
  it('never lets pass what may not be collected', () => {
    const allowed: Allowed = new Map([['religion', new Set(['body:*', 'body:religion'])]])
    expect(() => guard.inspect(json('{"religion":"佛教"}', allowed))).to.throw(
      Problem,
      '`religion`',
    )
  })
  it('refuses encodings nested too deeply', () => {
    let text = 'nothing personal'
    for (let i = 0; i < 6; i++) text = base64(text)
    expect(() => guard.inspect(json(`{"x":"${text}"}`))).to.throw(Problem, 'nested too deeply')
  })
  it('never quotes a value', () => {
    for (const { message } of LEAKS) {
      expect(() => guard.inspect(message))
        .to.throw(Problem)
        .and.satisfy((problem: Problem) => {
          return !/13800138000|11010519491231002X|张三|李四|zhang@/.test(problem.message)
        })
    }
  })
})

describe('guard over the corpus', () => {
  const kinds = loadDictionary()
  const detect = createDetect(kinds)
  const refused = (body: string) => {
    try {
      guard.inspect(json(body))
      return false
    } catch (error) {
      if (error instanceof Problem && error.slug === 'leak-detected') return true
      throw error
    }
  }
  const corpus = createCorpus(11, 20)

  it('refuses exactly the bodies whose text the detectors refuse, plain and as JSON in a string', () => {
    for (const sample of corpus) {
      const hits = detect(sample.text, sample.field ?? 'remark')
      const leak = hits.some(
        (hit) => hit.score >= REFUSE_SCORE && kinds.get(hit.kind)?.guard === 'refuse',
      )
      for (const body of toBodies(sample)) if (leak) expect(refused(body), body).to.equal(true)
      if (sample.labels.length === 0 && !leak)
        expect(refused(toBodies(sample)[0] ?? ''), sample.text).to.equal(false)
    }
  })

  it('refuses what the detectors find, in every encoding', () => {
    const encodings = [
      base64,
      hex,
      percent,
      (text: string) => escaped(text).replaceAll('\\', '\\\\'),
    ]
    const samples = corpus.filter(({ labels }) =>
      /mobile|resident-id|bank-card|email/.test(labels[0]?.kind ?? ''),
    )
    for (const { text, field = 'remark' } of samples) {
      const hits = detect(text, field)
      if (!hits.some((hit) => hit.score >= REFUSE_SCORE)) continue
      for (const encode of encodings) {
        expect(refused(`{"${field}":"${encode(text)}"}`), `${encode.name} of ${text}`).to.equal(
          true,
        )
      }
    }
  })

  it('answers for any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('application/json', 'text/plain'),
        (body, mediaType) => {
          try {
            guard.inspect(message({ body, mediaType }))
          } catch (error) {
            expect(error).to.be.instanceOf(Problem)
          }
        },
      ),
    )
  })
})

import { expect } from 'chai'
import { Problem } from '../../../base/problem.ts'
import { checkRequestHead, isEndToEnd, mediaType, readHead } from '../../../gateway/http/headers.ts'

const head = (...raw: string[]) => readHead(raw, 'request-malformed')

describe('readHead', () => {
  it('lowers names and joins repeated fields in order', () => {
    const read = head('Accept', 'a', 'X-B', '1', 'accept', 'b')
    expect([...read]).to.deep.equal([
      ['accept', 'a, b'],
      ['x-b', '1'],
    ])
  })

  for (const name of [
    'Host',
    'Content-Length',
    'Content-Type',
    'Authorization',
    'Transfer-Encoding',
    'Upload-Complete',
    'Upload-Offset',
  ]) {
    it(`refuses two ${name} fields`, () => {
      expect(() => head(name, 'a', name.toUpperCase(), 'a'))
        .to.throw(Problem, `\`${name.toLowerCase()}\` stands twice`)
        .with.property('slug', 'request-malformed')
    })
  }
})

// prettier-ignore
const END_TO_END: { name: string; field: string; raw: string[]; want: boolean }[] = [
  { name: 'an ordinary field',         field: 'accept-language', raw: ['Host', 'x'],                              want: true },
  { name: 'what Connection names',     field: 'x-hop',           raw: ['Connection', 'close, X-Hop'],             want: false },
  { name: 'what a second Connection names', field: 'x-hop',      raw: ['Connection', 'close', 'connection', 'x-hop'], want: false },
  { name: 'te',                        field: 'te',              raw: [],                                         want: false },
  { name: 'keep-alive',                field: 'keep-alive',      raw: [],                                         want: false },
  { name: 'proxy-authorization',       field: 'proxy-authorization', raw: [],                                     want: false },
  { name: 'cookie',                    field: 'cookie',          raw: [],                                         want: false },
  { name: 'set-cookie',                field: 'set-cookie',      raw: [],                                         want: false },
  { name: 'location',                  field: 'location',        raw: [],                                         want: false },
  { name: 'authorization',             field: 'authorization',   raw: [],                                         want: false },
  { name: 'upload-complete',           field: 'upload-complete', raw: [],                                         want: false },
  { name: 'repr-digest',               field: 'repr-digest',     raw: [],                                         want: false },
]

describe('isEndToEnd', () => {
  for (const { name, field, raw, want } of END_TO_END) {
    it(`${want ? 'passes' : 'stops'} ${name}`, () => {
      expect(isEndToEnd(field, head(...raw))).to.equal(want)
    })
  }
})

// prettier-ignore
const HEADS: { name: string; raw: string[]; version?: string; method?: string; detail?: RegExp }[] = [
  { name: 'a plain head',             raw: ['Host', 'x'] },
  { name: 'HTTP/1.0 with a length',   raw: ['Host', 'x', 'Content-Length', '1'], version: '1.0' },
  { name: 'chunked',                  raw: ['Host', 'x', 'Transfer-Encoding', 'Chunked'] },
  { name: 'an offer of h2c',          raw: ['Host', 'x', 'Upgrade', 'h2c', 'Connection', 'Upgrade, HTTP2-Settings'] },
  { name: 'expect 100-continue',      raw: ['Host', 'x', 'Expect', '100-Continue'] },
  { name: 'no host',                  raw: [],                                                     detail: /`host` is missing/ },
  { name: 'gzip, chunked',            raw: ['Host', 'x', 'Transfer-Encoding', 'gzip, chunked'],    detail: /transfer-encoding: chunked/ },
  { name: 'chunked in HTTP/1.0',      raw: ['Host', 'x', 'Transfer-Encoding', 'chunked'], version: '1.0', detail: /HTTP\/1\.1/ },
  { name: 'chunked and a length',     raw: ['Host', 'x', 'Transfer-Encoding', 'chunked', 'Content-Length', '1'], detail: /both/ },
  { name: 'TRACE',                    raw: ['Host', 'x'], method: 'TRACE',                         detail: /TRACE/ },
  { name: 'a websocket',              raw: ['Host', 'x', 'Upgrade', 'websocket'],                  detail: /upgrades/ },
  { name: 'another expectation',      raw: ['Host', 'x', 'Expect', 'tea'],                         detail: /100-continue/ },
]

describe('checkRequestHead', () => {
  for (const { name, raw, version = '1.1', method = 'POST', detail } of HEADS) {
    it(`${detail === undefined ? 'accepts' : 'refuses'} ${name}`, () => {
      const check = () => checkRequestHead(head(...raw), version, method)
      if (detail === undefined) expect(check).to.not.throw()
      else expect(check).to.throw(Problem, detail).with.property('slug', 'request-malformed')
    })
  }
})

describe('mediaType', () => {
  it('leaves parameters out and lowers', () => {
    expect(mediaType(head('Content-Type', 'Application/JSON; charset=utf-8'))).to.equal(
      'application/json',
    )
    expect(mediaType(head())).to.equal('')
  })
})

import { expect } from 'chai'
import { Problem } from '../../../base/problem.ts'
import { parseTarget } from '../../../gateway/http/target.ts'

// prettier-ignore
const ACCEPTED = [
  { name: 'path',                    url: '/bank/credit/applications', want: { recipient: 'bank', path: '/credit/applications' } },
  { name: 'path and query',          url: '/bank/a?b=c&d=%E4%B8%AD',   want: { recipient: 'bank', path: '/a', query: 'b=c&d=%E4%B8%AD' } },
  { name: 'empty query',             url: '/bank/a?',                  want: { recipient: 'bank', path: '/a', query: '' } },
  { name: 'question mark in query',  url: '/bank/a?b=c?d',             want: { recipient: 'bank', path: '/a', query: 'b=c?d' } },
  { name: 'recipient alone',         url: '/bank',                     want: { recipient: 'bank', path: '/' } },
  { name: 'recipient and slash',     url: '/bank/',                    want: { recipient: 'bank', path: '/' } },
  { name: 'trailing slash is kept',  url: '/bank/a/',                  want: { recipient: 'bank', path: '/a/' } },
  { name: 'escaped Han',             url: '/bank/%E4%B8%AD',           want: { recipient: 'bank', path: '/%E4%B8%AD' } },
  { name: 'dots inside a segment',   url: '/bank/a..b/.c',             want: { recipient: 'bank', path: '/a..b/.c' } },
  { name: 'no recipient',            url: '/',                         want: { recipient: '', path: '/' } },
]

// prettier-ignore
const REFUSED = [
  { name: 'absolute form',           url: 'http://x/bank/a',     detail: /RFC 3986/ },
  { name: 'asterisk form',           url: '*',                   detail: /RFC 3986/ },
  { name: 'dot segment',             url: '/bank/../other/a',    detail: /dot segment/ },
  { name: 'single dot',              url: '/bank/./a',           detail: /dot segment/ },
  { name: 'final dot segment',       url: '/bank/a/..',          detail: /dot segment/ },
  { name: 'escaped dot segment',     url: '/bank/%2e%2E/a',      detail: /escape/ },
  { name: 'escaped slash',           url: '/bank/a%2fb',         detail: /escape/ },
  { name: 'escaped backslash',       url: '/bank/a%5cb',         detail: /escape/ },
  { name: 'escaped NUL',             url: '/bank/a%00',          detail: /escape/ },
  { name: 'escaped letter',          url: '/bank/%61',           detail: /escape/ },
  { name: 'escaped digit',           url: '/bank/%31',           detail: /escape/ },
  { name: 'escaped tilde',           url: '/bank/%7E',           detail: /escape/ },
  { name: 'backslash',               url: '/bank\\a',            detail: /RFC 3986/ },
  { name: 'empty segment',           url: '/bank//a',            detail: /empty segment/ },
  { name: 'two leading slashes',     url: '//bank/a',            detail: /empty segment/ },
  { name: 'fragment',                url: '/bank/a#b',           detail: /RFC 3986/ },
  { name: 'raw Han',                 url: '/bank/中',            detail: /RFC 3986/ },
  { name: 'short escape',            url: '/bank/a%4',           detail: /two hex digits/ },
  { name: 'short escape in query',   url: '/bank/a?b=%zz',       detail: /two hex digits/ },
  { name: 'raw quote in query',      url: '/bank/a?b="c"',       detail: /reserved/ },
  { name: 'too long',                url: `/bank/${'a'.repeat(100)}`, detail: /longer than 100 bytes/ },
]

describe('parseTarget', () => {
  for (const { name, url, want } of ACCEPTED) {
    it(`takes apart: ${name}`, () => expect(parseTarget(url, 100)).to.deep.equal(want))
  }
  for (const { name, url, detail } of REFUSED) {
    it(`refuses: ${name}`, () => {
      expect(() => parseTarget(url, 100))
        .to.throw(Problem, detail)
        .with.property('slug', 'request-malformed')
    })
  }
})

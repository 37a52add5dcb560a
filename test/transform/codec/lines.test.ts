import { expect } from 'chai'
import { readFormat } from '../../../gateway/transform/format.ts'
import { compile } from '../policies.ts'
import { everyway, textOf } from './both.ts'

const LINES = readFormat('application/jsonl')
const FORM = readFormat('application/x-www-form-urlencoded')

// prettier-ignore
const CASES: readonly [name: string, format: typeof LINES, body: string, want: string][] = [
  ['NDJSON: keeps lines as they are',  LINES, ' {"a":1.10 }\r\n{"b":1,"a":"\\u4e2d"}\n', ' {"a":1.10 }\r\n{"a":"\\u4e2d"}\n'],
  ['NDJSON: takes no lines',           LINES, '', ''],
  ['NDJSON: an empty line',            LINES, '{"a":1}\n\n{"a":2}\n', 'row-invalid: row 2: at byte 8: the document ends early'],
  ['NDJSON: a name twice',             LINES, '{"a":1}\n{"a":1,"a":2}', 'row-invalid: row 2: at byte 16: the object has this name twice'],
  ['NDJSON: two documents in a line',  LINES, '{"a":1} {"a":2}\n', 'row-invalid: row 1: at byte 8: expected nothing after the document'],
  ['NDJSON: a document on two lines',  LINES, '{"a":\n1}\n', 'row-invalid: row 1: at byte 5: the document ends early'],
  ['NDJSON: a byte order mark',        LINES, '\ufeff{"a":1}\n', 'row-invalid: row 1: at byte 0: expected a value'],
  ['form: keeps values as they are',   FORM, 'a=%e4%B8%AD+1&b=2', 'a=%e4%B8%AD+1'],
  ['form: takes nothing',              FORM, '', ''],
  ['form: an empty value',             FORM, 'b=&a=', 'a='],
  ['form: a pair without a value',     FORM, 'a=1&b', 'body-malformed: at byte 4: expected `name=value`'],
  ['form: an ampersand at the end',    FORM, 'a=1&', 'body-malformed: at byte 4: expected `name=value`'],
  ['form: a name twice',               FORM, 'a=1&%61=2', 'body-malformed: at byte 4: the form has this name twice'],
  ['form: half an escape',             FORM, 'b=1&a=%4', 'body-malformed: at byte 4: expected escapes of UTF-8'],
  ['form: escapes that are no UTF-8',  FORM, 'a=%D6%D0', 'body-malformed: at byte 0: expected escapes of UTF-8'],
  ['form: a blank',                    FORM, 'b=1&a=1 2', 'body-malformed: at byte 7: expected visible ASCII'],
]

describe('lines and forms', () => {
  for (const [name, format, body, want] of CASES) {
    it(name, () => {
      const { request } = compile({ fields: { '$.a': 'keep', '$[*].a': 'keep' } }).route
      expect(textOf(everyway(request, Buffer.from(body), format))).to.equal(want)
    })
  }
})

describe('readFormat', () => {
  // prettier-ignore
  const TYPES: readonly [contentType: string, want: string][] = [
    ['Application/JSON; charset="UTF8"',        'json application/json utf-8'],
    ['application/problem+json',                'json application/problem+json utf-8'],
    ['application/vnd.bank.v2+xml;charset=GBK', 'xml application/vnd.bank.v2+xml gbk'],
    ['text/csv; charset=gb2312; header=present', 'csv text/csv gbk'],
    ['application/vnd.13800138000+json',        'expected application/json'],
    ['text/html',                               'expected application/json'],
    ['text/plain',                              'expected application/json'],
    ['',                                        'expected application/json'],
    ['application/json; charset=latin1',        'expected charset utf-8 or gbk or gb18030'],
    ['application/json; charset',               'a parameter cannot be read'],
    ['application/x-www-form-urlencoded; charset=gbk', 'expected charset utf-8'],
    ['multipart/form-data',                     'expected a boundary of 1 to 70 characters'],
    ['multipart/form-data; boundary="a b"',     'expected a boundary of 1 to 70 characters'],
  ]
  for (const [contentType, want] of TYPES) {
    it(`reads \`${contentType}\``, () => {
      const read = () => {
        const { name, mediaType, charset } = readFormat(contentType)
        return `${name} ${mediaType} ${charset}`
      }
      if (/^(?:expected|a p)/.test(want)) expect(read).to.throw(want)
      else expect(read()).to.equal(want)
    })
  }
})

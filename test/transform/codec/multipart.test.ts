import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readFormat } from '../../../gateway/transform/format.ts'
import { compile } from '../policies.ts'
import { everyway, pieces, textOf } from './both.ts'

const FORMAT = readFormat('multipart/form-data; boundary="--b1"')

/** A part: header lines, an empty line, content. */
const part = (...lines: readonly string[]) => `----b1\r\n${lines.join('\r\n')}\r\n`
const field = (name: string, value: string) =>
  part(`Content-Disposition: form-data; name="${name}"`, '', value)
const file = (name: string, filename: string, content: string) =>
  part(
    `Content-Disposition: form-data; name="${name}"; filename="${filename}"`,
    'Content-Type: image/jpeg',
    '',
    content,
  )
const END = '----b1--\r\n'
const sha = (text: string) => `"sha-256:${createHash('sha256').update(text).digest('hex')}"`

describe('multipart', () => {
  // prettier-ignore
  const ACCEPTED: readonly [name: string, fields: Record<string, string>, body: string, want: string][] = [
    ['keeps all',               { '$.a': 'keep', '$.f': 'keep' }, field('a', '1') + file('f', '张三.jpg', '\r\n--x\r\n') + END, field('a', '1') + file('f', '张三.jpg', '\r\n--x\r\n') + END],
    ['keeps the first',         { '$.a': 'keep' }, field('a', '中') + field('b', '2') + END, field('a', '中') + END],
    ['keeps the last',          { '$.b': 'keep' }, field('a', '1') + field('b', '2') + END, field('b', '2') + END],
    ['changes and renames',     { '$.a': 'length > $.c' }, field('a', '12') + END, field('c', '#2') + END],
    ['keeps a content without its name', { '$.f.content': 'keep' }, file('f', '张三.jpg', 'JPEG') + END, file('f', 'file', 'JPEG') + END],
    ['keeps a name without its content', { '$.f.filename': 'keep' }, file('f', 'a.jpg', 'JPEG') + END, file('f', 'a.jpg', '') + END],
    ['changes a file name',     { '$.f.filename': 'length', '$.f.content': 'keep' }, file('f', 'abc', 'J') + END, file('f', '#3', 'J') + END],
    ['drops a file',            { '$.a': 'keep' }, file('f', 'a.jpg', 'JPEG') + field('a', '1') + END, field('a', '1') + END],
    ['needs no last break',     { '$.a': 'keep' }, field('a', '1') + END.trimEnd(), field('a', '1') + END.trimEnd()],
    ['takes no parts at all',   { '$.a': 'keep' }, END, END],
    ['keeps an empty value',    { '$.a': 'keep' }, field('a', '') + END, field('a', '') + END],
  ]
  for (const [name, fields, body, want] of ACCEPTED) {
    it(name, () => {
      const { request } = compile({ fields }).route
      expect(textOf(everyway(request, Buffer.from(body), FORMAT))).to.equal(want)
    })
  }

  // prettier-ignore
  const REFUSED: readonly [name: string, body: string, want: string][] = [
    ['a preamble',              `x\r\n${field('a', '1')}${END}`, 'body-malformed: at byte 0: expected the boundary'],
    ['an epilogue',             `${field('a', '1')}${END}x`, 'body-malformed: at byte 63: expected nothing after the parts'],
    ['a missing end',           field('a', '1'), 'body-malformed: at byte 55: the parts end early'],
    ['a cut file',              file('f', 'a', 'x'), 'body-malformed: at byte 95: the parts end early'],
    ['a name twice',            field('a', '1') + field('a', '2') + END, 'body-malformed: at byte 101: a part of this name was met'],
    ['blanks after a boundary', field('a', '1').replace('b1\r\n', 'b1 \r\n') + END, 'body-malformed: at byte 6: expected a line break'],
    ['no disposition',          part('Content-Type: text/plain', '', 'x') + END, 'body-malformed: at byte 8: expected `Content-Disposition`'],
    ['a second disposition',    part('Content-Disposition: form-data; name="a"', 'Content-Disposition: form-data; name="b"', '', 'x') + END, 'body-malformed: at byte 50: a header field of a part is not expected here, or so'],
    ['another header field',    part('Content-Disposition: form-data; name="a"', 'X-Mobile: 13800138000', '', 'x') + END, 'body-malformed: at byte 50: a header field of a part is not expected here, or so'],
    ['an encoded file name',    part('Content-Disposition: form-data; name="a"; filename*=UTF-8\'\'x', '', 'x') + END, 'body-malformed: at byte 8: a header field of a part is not expected here, or so'],
    ['a backslash in a name',   field('a\\"', '1') + END, 'body-malformed: at byte 8: a header field of a part is not expected here, or so'],
    ['a number for a type',     part('Content-Disposition: form-data; name="a"', 'Content-Type: image/x13800138000', '', 'x') + END, 'body-malformed: at byte 50: a header field of a part is not expected here, or so'],
    ['a long head',             part(`Content-Disposition: form-data; name="${'a'.repeat(5000)}"`, '', 'x') + END, 'body-malformed: at byte 6: the head of a part is longer than 4096 bytes'],
  ]
  for (const [name, body, want] of REFUSED) {
    it(`refuses ${name}`, () => {
      const { request } = compile({ fields: { '$.a': 'keep' } }).route
      expect(everyway(request, Buffer.from(body), FORMAT)).to.equal(want)
    })
  }

  it('refuses a text that is no text', () => {
    const { request } = compile({ fields: { '$.a': 'keep' } }).route
    const body = Buffer.from(field('a', '\xff') + END, 'latin1')
    expect(everyway(request, body, FORMAT)).to.equal('body-malformed: at byte 52: expected UTF-8')
  })

  it('refuses to change bytes', () => {
    const { request } = compile({ fields: { '$.f.content': 'length' } }).route
    expect(everyway(request, Buffer.from(file('f', 'a', 'x') + END), FORMAT)).to.match(
      /^policy-refused: `\$\.f\.content` takes a single value/,
    )
  })

  it('claims a digest for each file, whether it passes or not', () => {
    const body = Buffer.from(
      file('f', 'a.jpg', 'JPEG') + file('g', 'b.jpg', 'G') + file('h', 'c', 'H') + END,
    )
    const { request } = compile({ fields: { '$.f.content': 'keep', '$.g': 'drop' } }).route
    expect(everyway(request, body, FORMAT)).to.have.deep.property('claims', [
      'f:$.f.filename "a.jpg"',
      `f:$.f.content ${sha('JPEG')}`,
      `f:$.g ${sha('G')}`,
      `f:$.h ${sha('H')}`,
    ])
  })

  it('takes files that are longer than what it holds', () => {
    const long = 'x'.repeat(3_000_000)
    for (const fields of [{ '$.f': 'keep' }, { '$.f': 'drop', '$.a': 'keep' }]) {
      const { request } = compile({ fields }).route
      const body = Buffer.from(file('f', 'a', long) + field('a', '1') + END)
      const cuts = Array.from({ length: 45 }, (_, n) => n * 65_536)
      const got = pieces(request, body, FORMAT, cuts)
      expect(got).to.have.property('bytes')
      expect(textOf(got).length).to.equal(textOf(everyone(fields, long)).length)
    }
  })
})

function everyone(fields: Record<string, string>, long: string): string {
  return '$.a' in fields ? field('a', '1') + END : file('f', 'a', long) + END
}

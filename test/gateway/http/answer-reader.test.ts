import { expect } from 'chai'
import fc from 'fast-check'
import { AnswerFault, createAnswerReader } from '../../../gateway/http/answer-reader.ts'

const BOUNDS = {
  long: false,
  headBytesMax: 200,
  bodyBytesMax: 50,
}
const H = 'HTTP/1.1 200 OK\r\n'

/** Reads a text in pieces; then the connection ends. */
function readAll(text: string, sizes: readonly number[], method = 'POST') {
  const reader = createAnswerReader(method, BOUNDS)
  const bytes = Buffer.from(text, 'latin1')
  let at = 0
  for (const size of [...sizes, bytes.length]) {
    const answer = reader.push(bytes.subarray(at, at + size))
    at += size
    if (answer !== undefined) return { ...answer, body: answer.body.toString('latin1') }
    if (at >= bytes.length) break
  }
  const answer = reader.end()
  return answer && { ...answer, body: answer.body.toString('latin1') }
}

// prettier-ignore
const READ: { name: string; text: string; method?: string; status: number; body: string; keep: boolean }[] = [
  { name: 'a length',                     text: `${H}Content-Length: 2\r\n\r\n{}`,                                        status: 200, body: '{}',    keep: true },
  { name: 'a length and `close`',         text: `${H}Content-Length: 2\r\nConnection: x, Close\r\n\r\n{}`,                status: 200, body: '{}',    keep: false },
  { name: 'more than was asked for',      text: `${H}Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK`,                         status: 200, body: '{}',    keep: false },
  { name: 'chunks',                       text: `${H}Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0A;x=1\r\n0123456789\r\n0\r\n\r\n`, status: 200, body: 'abc0123456789', keep: true },
  { name: 'chunks and a trailer',         text: `${H}transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: y\r\n\r\n`,      status: 200, body: 'a',     keep: true },
  { name: 'no framing',                   text: `${H}x: y\r\n\r\nabc`,                                                    status: 200, body: 'abc',   keep: false },
  { name: 'HTTP/1.0',                     text: 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na',                          status: 200, body: 'a',     keep: false },
  { name: '204',                          text: 'HTTP/1.1 204\r\n\r\n',                                                   status: 204, body: '',      keep: true },
  { name: '304 with a length',            text: 'HTTP/1.1 304 X\r\ncontent-length: 9\r\n\r\n',                            status: 304, body: '',      keep: true },
  { name: 'an answer to HEAD',            text: `${H}content-length: 9\r\n\r\n`, method: 'HEAD',                          status: 200, body: '',      keep: true },
  { name: 'two provisional answers',      text: `HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nl: 1\r\n\r\n${H}content-length: 0\r\n\r\n`, status: 200, body: '', keep: true },
]

// prettier-ignore
const FAULTS: { name: string; text: string; message: RegExp; large?: true }[] = [
  { name: 'HTTP/2',                          text: 'HTTP/2 200 OK\r\n\r\n',                                  message: /status line/ },
  { name: 'a status of two digits',          text: 'HTTP/1.1 20 OK\r\n\r\n',                                 message: /status line/ },
  { name: 'a bare LF',                       text: 'HTTP/1.1 200 OK\nx: y\r\n\r\n',                          message: /status line/ },
  { name: '101',                             text: 'HTTP/1.1 101 S\r\n\r\n',                                 message: /protocols/ },
  { name: 'a folded line',                   text: `${H}x: a\r\n b\r\n\r\n`,                                 message: /field is malformed/ },
  { name: 'a blank before the colon',        text: `${H}content-length : 2\r\n\r\n{}`,                       message: /field is malformed/ },
  { name: 'a bare CR in a field',            text: `${H}x: a\rb\r\n\r\n`,                                    message: /field is malformed/ },
  { name: 'a NUL in a field',                text: `${H}x: a\0b\r\n\r\n`,                                    message: /field is malformed/ },
  { name: 'a field without a name',          text: `${H}: a\r\n\r\n`,                                        message: /field is malformed/ },
  { name: 'two lengths, the same',           text: `${H}content-length: 2\r\ncontent-length: 2\r\n\r\n{}`,   message: /two lengths/ },
  { name: 'a list of lengths',               text: `${H}content-length: 2, 2\r\n\r\n{}`,                     message: /no length/ },
  { name: 'a signed length',                 text: `${H}content-length: +2\r\n\r\n{}`,                       message: /no length/ },
  { name: 'a length and chunks',             text: `${H}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n`, message: /framed/ },
  { name: 'another transfer coding',         text: `${H}transfer-encoding: gzip, chunked\r\n\r\n`,           message: /framed/ },
  { name: 'transfer codings in two lines',   text: `${H}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`, message: /two transfer codings/ },
  { name: 'chunks in HTTP/1.0',              text: 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',  message: /framed/ },
  { name: 'a coding on a 204',               text: 'HTTP/1.1 204 N\r\ntransfer-encoding: x\r\n\r\n',         message: /framed/ },
  { name: 'a chunk size with a sign',        text: `${H}transfer-encoding: chunked\r\n\r\n+2\r\n{}\r\n`,     message: /no size/ },
  { name: 'a chunk size with 0x',            text: `${H}transfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n`,    message: /no size/ },
  { name: 'a chunk longer than it says',     text: `${H}transfer-encoding: chunked\r\n\r\n1\r\n{}\r\n`,      message: /chunk is too long/ },
  { name: 'a malformed trailer',             text: `${H}transfer-encoding: chunked\r\n\r\n0\r\n x\r\n\r\n`,  message: /trailer/ },
  { name: 'a size line beyond its bound',    text: `${H}transfer-encoding: chunked\r\n\r\n1;${'x'.repeat(300)}\r\n`, message: /line is too long/ },
  { name: 'a head beyond its bound',         text: `${H}x: ${'y'.repeat(200)}\r\n\r\n`,                      message: /head is too large/ },
  { name: 'a length beyond the bound',       text: `${H}content-length: 51\r\n\r\n`,                         message: /too large/, large: true },
  { name: 'chunks beyond the bound',         text: `${H}transfer-encoding: chunked\r\n\r\n33\r\n`,           message: /too large/, large: true },
  { name: 'an end beyond the bound',         text: `${H}\r\n${'x'.repeat(51)}`,                              message: /too large/, large: true },
]

describe('answer reader', () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 })
  for (const { name, text, method, ...want } of READ) {
    it(`reads ${name}, in whatever pieces it comes`, () => {
      const whole = readAll(text, [], method)
      expect(whole).to.deep.include(want)
      fc.assert(
        fc.property(pieces, (sizes) => {
          const { keep: _, ...answer } = readAll(text, sizes, method) ?? {}
          const { keep: __, ...same } = whole ?? {}
          expect(answer).to.deep.equal(same)
        }),
      )
    })
  }

  for (const { name, text, message, large } of FAULTS) {
    it(`refuses ${name}, in whatever pieces it comes`, () => {
      fc.assert(
        fc.property(pieces, (sizes) => {
          expect(() => readAll(text, sizes))
            .to.throw(AnswerFault, message)
            .with.property('tooLarge', large === true)
        }),
      )
    })
  }

  it('says nothing of an answer that is not whole', () => {
    for (const { text, name } of READ.slice(0, 1)) {
      for (let end = 0; end < text.length; end++)
        expect(readAll(text.slice(0, end), []), name).to.equal(undefined)
    }
  })
})

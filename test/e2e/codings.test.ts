import { expect } from 'chai'
import { createHash } from 'node:crypto'
import * as zlib from 'node:zlib'
import { row, rows, rowsPolicy, startTaker } from '../support/long.ts'
import { useRelay } from '../support/relay.ts'

const LIMITS = { BODY_BYTES_MAX: 20_000, STREAM_IDLE_TIMEOUT_MS: 800, STREAM_BYTES_MAX: 3_000_000 }
const TYPE = { 'content-type': 'application/x-ndjson' }

/** Node's one-shot functions, which the gateway does not use. */
// prettier-ignore
const CODINGS = {
  gzip:    { encode: zlib.gzipSync,           decode: zlib.gunzipSync },
  deflate: { encode: zlib.deflateSync,        decode: zlib.inflateSync },
  br:      { encode: zlib.brotliCompressSync, decode: zlib.brotliDecompressSync },
  zstd:    { encode: zlib.zstdCompressSync,   decode: zlib.zstdDecompressSync },
} as const
type Name = keyof typeof CODINGS

// Of the second, 1,000 rows are few bytes on the wire and many without the coding.
const SIZES = { short: 20, 'long when decoded': 400, long: 4000 } as const

describe('content codings, end to end', () => {
  const relay = useRelay(startTaker)
  let answer: { coding?: string; body: Buffer } = { body: Buffer.from('') }

  before(async () => {
    relay.installation.addPolicy('rows.yaml', rowsPolicy())
    await relay.start({ limits: LIMITS })
  })
  beforeEach(() => {
    answer = { body: Buffer.from(row(7)) }
    const take = relay.recipient.take
    relay.recipient.take = (incoming, response) => {
      const { coding, body } = answer
      const end = response.end.bind(response)
      response.end = (() => {
        end(body)
        return response
      }) as typeof response.end
      const writeHead = response.writeHead.bind(response)
      response.writeHead = ((status: number) =>
        writeHead(status, {
          ...TYPE,
          ...(coding === undefined ? {} : { 'content-encoding': coding }),
        })) as typeof response.writeHead
      take(incoming, response)
    }
  })

  async function send(body: Buffer, headers: Readonly<Record<string, string>> = {}) {
    const sending = await relay.sendLong({ 'content-length': String(body.length), ...headers })
    await sending.write(body)
    sending.end()
    const got = await sending.answer()
    return { got, record: await relay.recordOf(got.headers['evidence-id']) }
  }

  for (const name of Object.keys(CODINGS) as Name[]) {
    const { encode, decode } = CODINGS[name]
    for (const [size, count] of Object.entries(SIZES)) {
      it(`${name}: a ${size} request leaves in the coding in which it came`, async () => {
        const body = encode(rows(count))
        const { got, record } = await send(body, { 'content-encoding': name })
        expect(got.status, got.body.toString()).to.equal(200)
        const [taken] = relay.recipient.taken
        expect(taken?.headers['content-encoding']).to.equal(name)
        expect(taken?.headers['signature-input']).to.include('"content-encoding"')
        const coded = taken?.body ?? Buffer.alloc(0)
        const lines = decode(coded).toString().trimEnd().split('\n')
        expect(lines).to.have.length(count)
        expect(lines.at(-1))
          .to.include(`"loan":"L-${count - 1}"`)
          .and.include('tok_mobile')
        const digest = `sha-256=:${createHash('sha256').update(coded).digest('base64')}:`
        const { headers, trailers } = taken ?? {}
        expect(trailers?.['content-digest'] ?? headers?.['content-digest']).to.equal(digest)
        expect(record['request']).to.include({
          coding: name,
          length: body.length,
          forwardedLength: coded.length,
        })
      })

      it(`${name}: a ${size} answer goes on in it, where the caller takes it`, async () => {
        answer = { coding: name, body: encode(rows(count)) }
        const { got, record } = await send(Buffer.from(row(1)), { 'accept-encoding': `x, ${name}` })
        expect(relay.recipient.taken[0]?.headers['accept-encoding']).to.equal(name)
        expect(got.headers['content-encoding']).to.equal(name)
        expect(decode(got.body).toString().trimEnd().split('\n')).to.have.length(count)
        expect(record['response']).to.include({ coding: name, forwardedLength: got.body.length })
      })

      it(`${name}: a ${size} answer goes on without it, where the caller does not`, async () => {
        answer = { coding: name, body: encode(rows(count)) }
        const { got } = await send(Buffer.from(row(1)))
        expect(relay.recipient.taken[0]?.headers['accept-encoding']).to.equal('identity')
        expect(got.headers).to.not.have.property('content-encoding')
        expect(got.body.toString().trimEnd().split('\n')).to.have.length(count)
      })
    }
  }

  // prettier-ignore
  const REFUSED: { name: string; coding: string; body: Buffer; status: number; slug: string; detail: RegExp }[] = [
    { name: 'an unknown coding',     coding: 'compress', body: Buffer.from(row(1)),                                status: 415, slug: 'media-type-unsupported', detail: /gzip, deflate, br, zstd/ },
    { name: 'another coding',        coding: 'br',       body: zlib.gzipSync(row(1)),                              status: 400, slug: 'body-malformed', detail: /not valid br/ },
    { name: 'a coding cut off',      coding: 'gzip',     body: zlib.gzipSync(rows(50)).subarray(0, -1),            status: 400, slug: 'body-malformed', detail: /not valid gzip/ },
    { name: 'bytes behind it',       coding: 'deflate',  body: Buffer.concat([zlib.deflateSync(row(1)), Buffer.from('x')]), status: 400, slug: 'body-malformed', detail: /bytes follow/ },
    { name: 'a coding in a coding',  coding: 'gzip',     body: zlib.gzipSync(zlib.gzipSync(row(1))),               status: 422, slug: 'row-invalid', detail: /row 1: at byte 1: expected UTF-8/ },
    { name: 'a bomb',                coding: 'br',       body: zlib.brotliCompressSync(Buffer.alloc(100_000_000, ' ')), status: 413, slug: 'body-too-large', detail: /decodes to more than 200/ },
    { name: 'a leak inside',         coding: 'zstd',     body: zlib.zstdCompressSync(row(1, 'call 13900139000')),  status: 422, slug: 'leak-detected', detail: /mobile/ },
    { name: 'more than is streamed', coding: 'gzip',     body: zlib.gzipSync(Array.from({ length: 200_000 }, (_, i) => `{"note":"n${(i * 7919) % 1e6}"}\n`).join('')), status: 413, slug: 'body-too-large', detail: /longer than 3000000/ },
  ]
  for (const { name, coding, body, status, slug, detail } of REFUSED) {
    it(`${status}: ${name}`, async () => {
      const { got, record } = await send(body, { 'content-encoding': coding })
      expect(got.status, got.body.toString()).to.equal(status)
      expect(got.body.toString()).to.include(`/problems/${slug}`).and.match(detail)
      expect(relay.recipient.taken.filter(({ whole }) => whole)).to.deep.equal([])
      expect(record).to.include({ problem: slug, status })
    })
  }

  it('an answer that is a bomb is the recipient’s failure', async () => {
    answer = { coding: 'br', body: zlib.brotliCompressSync(Buffer.alloc(100_000_000, ' ')) }
    const { got } = await send(Buffer.from(row(1)))
    expect(got.status).to.equal(502)
    expect(got.body.toString()).to.match(
      /its answer: one byte of the body decodes to more than 200/,
    )
  })
})

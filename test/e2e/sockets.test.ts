import { expect } from 'chai'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { json, startBank } from '../support/bank.ts'
import { exchangeRaw } from '../support/client.ts'
import { readRecords } from '../support/records.ts'
import { APPLICATION, APPLICATIONS, useRelay } from '../support/relay.ts'

const BODY = APPLICATION.toString()
const CRLF = '\r\n'

describe('the relay on bare sockets', () => {
  const relay = useRelay(startBank)

  before(async () => {
    await relay.start({
      limits: { HEAD_TIMEOUT_MS: 300, REQUEST_TIMEOUT_MS: 600, DRAIN_TIMEOUT_MS: 3000 },
    })
  })

  /** A whole request; `lines` replace the framing. */
  async function request(
    lines: readonly string[],
    body: string,
    start = `POST ${APPLICATIONS} HTTP/1.1`,
  ) {
    const jwt = await relay.installation.platform.jwt('harbour-bank')
    const fixed = [
      'host: gateway',
      'content-type: application/json',
      `authorization: Bearer ${jwt}`,
    ]
    return [start, ...fixed, ...lines, '', body].join(CRLF)
  }
  const length = `content-length: ${Buffer.byteLength(BODY)}`
  const utf8 = Buffer.from(BODY).toString('latin1')
  const chunked = `${Buffer.byteLength(BODY).toString(16)}\r\n${utf8}\r\n0\r\n\r\n`

  it('reads chunks, and sends a length', async () => {
    const text = await exchangeRaw(
      relay.gateway.relayUrl,
      await request(['transfer-encoding: chunked', 'connection: close'], chunked),
    )
    expect(text).to.match(/^HTTP\/1\.1 200 /)
    expect(relay.recipient.received[0]?.headers['content-length']).to.equal(
      String(Buffer.byteLength(relay.recipient.received[0]?.body ?? '')),
    )
    expect(relay.recipient.received[0]?.headers).to.not.have.property('transfer-encoding')
  })

  it('answers pipelined requests in order', async () => {
    const two =
      (await request([length], utf8)) + (await request([length, 'connection: close'], utf8))
    const text = await exchangeRaw(relay.gateway.relayUrl, two)
    expect(text.match(/HTTP\/1\.1 200 /g)).to.have.length(2)
    expect(relay.recipient.received).to.have.length(2)
  })

  it('asks for a body only when it will be read', async () => {
    const accepted = await exchangeRaw(
      relay.gateway.relayUrl,
      await request([length, 'expect: 100-continue', 'connection: close'], utf8),
    )
    expect(accepted).to.match(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
    const start = 'POST /harbour-bank/unknown HTTP/1.1'
    const refused = await exchangeRaw(
      relay.gateway.relayUrl,
      await request([length, 'expect: 100-continue', 'connection: close'], '', start),
      300,
    )
    expect(refused).to.not.include('100 Continue')
  })

  // Every one of these would be two different requests for two readers on the way.
  // prettier-ignore
  const SMUGGLED: { name: string; lines: string[]; body: string; start?: string }[] = [
    { name: 'a length and chunks',          lines: [length, 'transfer-encoding: chunked'],              body: chunked },
    { name: 'chunks and a length',          lines: ['transfer-encoding: chunked', length],              body: chunked },
    { name: 'two lengths',                  lines: [length, 'content-length: 5'],                       body: utf8 },
    { name: 'the same length twice',        lines: [length, length],                                    body: utf8 },
    { name: 'a list of lengths',            lines: ['content-length: 5, 5'],                            body: 'hello' },
    { name: 'a signed length',              lines: ['content-length: +5'],                              body: 'hello' },
    { name: 'a hexadecimal length',         lines: ['content-length: 0x5'],                             body: 'hello' },
    { name: 'a negative length',            lines: ['content-length: -5'],                              body: 'hello' },
    { name: 'TE with another last coding',  lines: ['transfer-encoding: chunked, identity'],            body: chunked },
    { name: 'TE identity',                  lines: ['transfer-encoding: identity', length],             body: utf8 },
    { name: 'TE gzip, chunked',             lines: ['transfer-encoding: gzip, chunked'],                body: chunked },
    { name: 'TE with a space before the colon', lines: ['transfer-encoding : chunked'],                 body: chunked },
    { name: 'TE with a vertical tab',       lines: ['transfer-encoding: \vchunked'],                    body: chunked },
    { name: 'TE in two lines',              lines: ['transfer-encoding: chunked', 'transfer-encoding: chunked'], body: chunked },
    { name: 'a folded header',              lines: [length, 'x: a', ' b'],                              body: utf8 },
    { name: 'a bare CR in a header',        lines: [length, 'x: a\rb'],                                 body: utf8 },
    { name: 'a NUL in a header',            lines: [length, 'x: a\0b'],                                 body: utf8 },
    { name: 'a space in a header name',     lines: [length, 'x y: a'],                                  body: utf8 },
    { name: 'a chunk size with a sign',     lines: ['transfer-encoding: chunked'],                      body: `+2\r\n{}\r\n0\r\n\r\n` },
    { name: 'a chunk size with 0x',         lines: ['transfer-encoding: chunked'],                      body: `0x2\r\n{}\r\n0\r\n\r\n` },
    { name: 'a chunk longer than it says',  lines: ['transfer-encoding: chunked'],                      body: `1\r\n{}\r\n0\r\n\r\n` },
    { name: 'two hosts',                    lines: [length, 'host: other'],                             body: utf8 },
    { name: 'two content types',            lines: [length, 'content-type: text/plain'],                body: utf8 },
    { name: 'two credentials',              lines: [length, 'authorization: Bearer x'],                 body: utf8 },
    { name: 'chunks in HTTP/1.0',           lines: ['transfer-encoding: chunked'],                      body: chunked, start: `POST ${APPLICATIONS} HTTP/1.0` },
    { name: 'an absolute target',           lines: [length],                                            body: utf8,    start: `POST http://gateway${APPLICATIONS} HTTP/1.1` },
    { name: 'HTTP/1.1 in lower case',       lines: [length],                                            body: utf8,    start: `POST ${APPLICATIONS} http/1.1` },
    { name: 'a tab in the request line',    lines: [length],                                            body: utf8,    start: `POST\t${APPLICATIONS} HTTP/1.1` },
    { name: 'an upgrade',                   lines: [length, 'connection: upgrade', 'upgrade: websocket'], body: utf8 },
    { name: 'an unknown expectation',       lines: [length, 'expect: tea'],                             body: utf8 },
    { name: 'a head beyond the limit',      lines: [length, `x: ${'x'.repeat(17_000)}`],                body: utf8 },
    { name: 'TRACE',                        lines: [],                                                  body: '',      start: `TRACE ${APPLICATIONS} HTTP/1.1` },
    { name: 'CONNECT',                      lines: [],                                                  body: '',      start: 'CONNECT harbour-bank:443 HTTP/1.1' },
    { name: 'TLS where there is none',      lines: [],                                                  body: '',      start: '\x16\x03\x01\x02\x00\x01\x00' },
  ]
  const refused: (string | undefined)[] = []
  for (const { name, lines, body, start } of SMUGGLED) {
    it(`refuses ${name}`, async () => {
      const text = await exchangeRaw(relay.gateway.relayUrl, await request(lines, body, start), 500)
      expect(text).to.match(/^HTTP\/1\.1 400 /)
      const rid = /\r\nevidence-id: (\S+)\r\n/.exec(text)?.[1]
      expect(text).to.match(/"type":"\/problems\/(?:request|body)-malformed"/)
      expect(relay.recipient.received).to.deep.equal([])
      refused.push(rid)
    })
  }

  it('each of them is sealed', async () => {
    await relay.recordOf(refused.at(-1))
    const records = await readRecords(relay.installation.config())
    for (const rid of refused) {
      expect(records.find((record) => record.rid === rid)).to.include({
        kind: 'refusal',
        status: 400,
      })
    }
    expect(refused).to.have.length(SMUGGLED.length)
  })

  it('hangs up on a connection that says nothing, without a record', async () => {
    const before = (await readRecords(relay.installation.config())).length
    const socket = connect(Number(new URL(relay.gateway.relayUrl).port), '127.0.0.1')
    socket.resume()
    await once(socket, 'close')
    await sleep(50)
    expect((await readRecords(relay.installation.config())).length).to.equal(before)
  })

  it('lets a caller read the refusal of a body that it is still sending', async () => {
    const answer = await relay.post(APPLICATIONS, Buffer.alloc(3_000_000, 0x20))
    expect(answer.status).to.equal(413)
    expect(answer.headers['evidence-id']).to.be.a('string')
  })

  it('concludes the evidence of a caller that hangs up', async () => {
    let seen = ''
    relay.recipient.answer = (received, response) => {
      seen = String(received.headers['evidence-id'])
      setTimeout(() => json(response, { status: 'accepted' }), 150)
    }
    const socket = connect(Number(new URL(relay.gateway.relayUrl).port), '127.0.0.1')
    socket.write(await request([length], utf8), 'latin1')
    while (seen === '') await sleep(5)
    socket.destroy()
    const record = await relay.recordOf(seen)
    expect(record).to.include({ kind: 'exchange', outcome: 'failed', recipientStatus: 200 })
    expect(record).to.not.have.property('status')
    expect(record['times']).to.have.keys('received', 'sent', 'responseReceived')
  })

  it('seals the refusal of a caller that stops in the middle of a body', async () => {
    const before = (await readRecords(relay.installation.config())).length
    const socket = connect(Number(new URL(relay.gateway.relayUrl).port), '127.0.0.1')
    socket.write(await request([length], utf8.slice(0, 50)), 'latin1')
    await sleep(50)
    socket.destroy()
    let records = await readRecords(relay.installation.config())
    while (records.length === before) {
      await sleep(20)
      records = await readRecords(relay.installation.config())
    }
    expect(records.at(-1)).to.include({ kind: 'refusal', problem: 'body-malformed' })
    expect(relay.recipient.received).to.deep.equal([])
  })
})

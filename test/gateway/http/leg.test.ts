import { expect } from 'chai'
import { systemClock } from '../../../base/clock.ts'
import { Problem } from '../../../base/problem.ts'
import type { Outbound } from '../../../gateway/exchange.ts'
import { createDirectLeg } from '../../../gateway/http/direct-leg.ts'
import { createLeg } from '../../../gateway/http/leg.ts'
import { RELAY_LIMITS } from '../../../gateway/http/limits.ts'
import { type Behaviour, type RawServer, startRawServer } from '../../support/raw-server.ts'

const LIMITS = { ...RELAY_LIMITS, BODY_BYTES_MAX: 1000, RECIPIENT_TIMEOUT_MS: 250 }
const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'

const say =
  (...texts: string[]): Behaviour =>
  (socket) => {
    for (const text of texts) socket.write(text, 'latin1')
  }
const sayAndClose =
  (text: string): Behaviour =>
  (socket) =>
    socket.end(text, 'latin1')

function outbound(method = 'POST', text = '{"a":1}'): Outbound {
  const body = Buffer.from(text)
  return {
    method,
    path: '/x?y=1',
    headers: { host: 'bank', 'content-length': String(body.length) },
    body,
  }
}

// prettier-ignore
const ANSWERS: { name: string; behave: Behaviour; method?: string; status: number; body: string }[] = [
  { name: 'content-length',               behave: say(OK),                                                                                   status: 200, body: '{}' },
  { name: 'chunked',                      behave: say('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\n{\r\n', '1\r\n}\r\n0\r\n\r\n'), status: 200, body: '{}' },
  { name: 'ended by closing',             behave: sayAndClose('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}'),                              status: 200, body: '{}' },
  { name: '204 without a body',           behave: say('HTTP/1.1 204 No Content\r\n\r\n'),                                                    status: 204, body: '' },
  { name: '304 with a length, no body',   behave: say('HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n'), method: 'GET',             status: 304, body: '' },
  { name: '500 with a body',              behave: say('HTTP/1.1 500 Oops\r\ncontent-length: 2\r\n\r\n{}'),                                   status: 500, body: '{}' },
  { name: '100, 103, then 200',           behave: say('HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n', OK), status: 200, body: '{}' },
  { name: 'a body in two parts',          behave: (socket) => { socket.write(OK.slice(0, -1)); setTimeout(() => socket.write('}'), 20) },   status: 200, body: '{}' },
  { name: 'an answer before the body is read', behave: (socket) => { socket.end(OK.replace('200', '413')) },                                status: 413, body: '{}' },
]

// prettier-ignore
const FAILURES: { name: string; behave: Behaviour; slug: string; detail: RegExp }[] = [
  { name: 'a reset before the answer',    behave: (socket) => { socket.resetAndDestroy() },                                                     slug: 'recipient-failed',  detail: /before the answer/ },
  { name: 'a close before the answer',    behave: (socket) => { socket.end() },                                                                 slug: 'recipient-failed',  detail: /before the answer/ },
  { name: 'a reset in mid-answer',        behave: (socket) => { socket.write(OK.slice(0, -1)); setTimeout(() => socket.resetAndDestroy(), 20) },  slug: 'recipient-failed',  detail: /broke off/ },
  { name: 'a close in mid-answer',        behave: sayAndClose('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}'),                                slug: 'recipient-failed',  detail: /broke off/ },
  { name: 'a close in mid-chunk',         behave: sayAndClose('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{'),                   slug: 'recipient-failed',  detail: /broke off/ },
  { name: 'no answer at all',             behave: () => {},                                                                                     slug: 'recipient-timeout', detail: /within 250 ms/ },
  { name: 'half a head',                  behave: say('HTTP/1.1 200 OK\r\ncontent-'),                                                           slug: 'recipient-timeout', detail: /within 250 ms/ },
  { name: 'half a body',                  behave: say('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{'),                                         slug: 'recipient-timeout', detail: /within 250 ms/ },
  { name: 'a trickling body',             behave: (socket) => { socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n'); const timer = setInterval(() => socket.write(' '), 30); socket.on('close', () => clearInterval(timer)) }, slug: 'recipient-timeout', detail: /within 250 ms/ },
  { name: 'a body beyond the limit',      behave: say(`HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n${'x'.repeat(2000)}`),                    slug: 'recipient-failed',  detail: /too large/ },
  { name: 'an endless chunked body',      behave: (socket) => { socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'); const timer = setInterval(() => socket.write(`3e8\r\n${'x'.repeat(1000)}\r\n`), 2); socket.on('close', () => clearInterval(timer)) }, slug: 'recipient-failed', detail: /too large/ },
  { name: 'bytes that are not HTTP',      behave: say('hello\r\n\r\n'),                                                                         slug: 'recipient-failed',  detail: /before the answer/ },
  { name: 'both length and chunked',      behave: say('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'), slug: 'recipient-failed', detail: /before the answer/ },
  { name: 'two lengths',                  behave: say('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'),                   slug: 'recipient-failed',  detail: /before the answer/ },
  { name: 'two content types',            behave: say(OK.replace('content-type', 'content-type: text/html\r\ncontent-type')),                   slug: 'recipient-failed',  detail: /`content-type` stands twice/ },
  { name: 'a head beyond the limit',      behave: say(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`),                                   slug: 'recipient-failed',  detail: /before the answer/ },
  { name: 'a switch of protocols',        behave: say('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),         slug: 'recipient-failed',  detail: /before the answer/ },
]

const LEGS = {
  'the general leg': { create: createLeg, adds: 'Connection: keep-alive\r\n' },
  'the direct leg': { create: createDirectLeg, adds: '' },
}

for (const [legName, { create, adds }] of Object.entries(LEGS))
  describe(legName, () => {
    const leg = create(systemClock, LIMITS)
    let server: RawServer | undefined
    afterEach(async () => {
      await server?.close()
      server = undefined
    })
    after(() => leg.close())

    for (const { name, behave, method, status, body } of ANSWERS) {
      it(`collects ${name}`, async () => {
        server = await startRawServer(behave)
        let sent = 0
        const inbound = await leg.send(server.url, outbound(method), () => sent++)
        expect(inbound.status).to.equal(status)
        expect(inbound.body.toString()).to.equal(body)
        expect(sent).to.equal(1)
      })
    }

    for (const { name, behave, slug, detail } of FAILURES) {
      it(`refuses ${name}`, async () => {
        server = await startRawServer(behave)
        const error = await leg.send(server.url, outbound(), () => {}).catch((e: unknown) => e)
        expect(error).to.be.instanceOf(Problem).with.property('slug', slug)
        expect((error as Problem).message).to.match(detail)
      })
    }

    it('sends exactly what it is given, and nothing of its own', async () => {
      server = await startRawServer(say(OK))
      await leg.send(server.url, outbound(), () => {})
      expect(server.received()).to.equal(
        `POST /x?y=1 HTTP/1.1\r\nhost: bank\r\ncontent-length: 7\r\n${adds}\r\n{"a":1}`,
      )
    })

    it('names a recipient that does not listen, and sends nothing', async () => {
      const gone = await startRawServer(say(OK))
      await gone.close()
      let sent = 0
      const error = await leg.send(gone.url, outbound(), () => sent++).catch((e: unknown) => e)
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'recipient-unreachable')
      expect(sent).to.equal(0)
    })

    it('keeps connections', async () => {
      server = await startRawServer(say(OK))
      for (let i = 0; i < 3; i++) await leg.send(server.url, outbound(), () => {})
      expect(server.connections()).to.equal(1)
    })

    const RESET_ON_SECOND: Behaviour = (socket, _request, count) => {
      if (count === 2) socket.resetAndDestroy()
      else socket.write(OK)
    }

    it('repeats a safe request once when a kept connection turns out closed', async () => {
      server = await startRawServer(RESET_ON_SECOND)
      await leg.send(server.url, outbound('GET', ''), () => {})
      const inbound = await leg.send(server.url, outbound('GET', ''), () => {})
      expect(inbound.status).to.equal(200)
      expect(server.received().match(/GET/g)).to.have.length(3)
    })

    it('never repeats a request that could act twice', async () => {
      server = await startRawServer(RESET_ON_SECOND)
      await leg.send(server.url, outbound(), () => {})
      const error = await leg.send(server.url, outbound(), () => {}).catch((e: unknown) => e)
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'recipient-failed')
      expect(server.received().match(/POST/g)).to.have.length(2)
    })
  })

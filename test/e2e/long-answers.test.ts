import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { exchangeRaw } from '../support/client.ts'
import { row, rows, rowsPolicy, startTaker } from '../support/long.ts'
import { useRelay } from '../support/relay.ts'

const LIMITS = { BODY_BYTES_MAX: 4096, STREAM_IDLE_TIMEOUT_MS: 600, RECIPIENT_TIMEOUT_MS: 1500 }
const TYPE = { 'content-type': 'application/x-ndjson' }

/** Writes with back-pressure. */
async function write(response: ServerResponse, text: string): Promise<void> {
  if (!response.write(text) && !response.destroyed) await once(response, 'drain').catch(() => {})
}

async function sendRows(response: ServerResponse, count: number, last = ''): Promise<void> {
  for (let i = 0; i < count && !response.destroyed; i += 100) await write(response, rows(100, i))
  response.end(last)
}

for (const buffered of [false, true]) {
  describe(`long answers, ${buffered ? 'held back' : 'passed on while they come'}`, () => {
    const relay = useRelay(startTaker)

    before(async () => {
      relay.installation.addPolicy('rows.yaml', rowsPolicy('', buffered ? 'buffered: true' : ''))
      await relay.start({ limits: LIMITS })
    })

    async function ask(answer: (response: ServerResponse) => unknown, body = row(1)) {
      relay.recipient.take = (incoming, response) => {
        incoming.resume()
        response.on('error', () => undefined)
        void answer(response)
      }
      const sending = await relay.sendLong()
      await sending.write(body)
      sending.end()
      return sending
    }
    const spoolIsEmpty = () => expect(readdirSync(relay.inFolder('data/spool'))).to.deep.equal([])

    // prettier-ignore
    const FRAMINGS: { name: string; answer: (response: ServerResponse) => unknown }[] = [
      { name: 'chunks',        answer: (response) => { response.writeHead(200, TYPE); return sendRows(response, 3000) } },
      { name: 'a length',      answer: (response) => { const text = rows(3000); response.writeHead(200, { ...TYPE, 'content-length': text.length + 2 * 3 * 3000 }); response.end(text) } },
      { name: 'its connection', answer: (response) => { response.useChunkedEncodingByDefault = false; response.writeHead(200, { ...TYPE, connection: 'close' }); return sendRows(response, 3000) } },
      { name: 'one write',     answer: (response) => { response.writeHead(200, TYPE); response.end(rows(3000)) } },
    ]
    for (const body of [row(1), rows(500)]) {
      for (const { name, answer } of FRAMINGS) {
        it(`framed by ${name}, after a ${body.length > 4096 ? 'long' : 'short'} request`, async () => {
          const sending = await ask(answer, body)
          const got = await sending.answer()
          expect(got.status, got.body.toString()).to.equal(200)
          expect(got.whole).to.equal(true)
          const text = got.body.toString()
          expect(text.trimEnd().split('\n')).to.have.length(3000)
          expect(text).to.include('"loan":"L-2999"').and.not.include('mobile')
          const record = await relay.recordOf(got.headers['evidence-id'])
          expect(record).to.include({ outcome: 'answered', status: 200 })
          expect(record['response']).to.have.nested.property('rows.count', 3000)
          expect(record['response']).to.have.property('forwardedLength', got.body.length)
          expect(record['response']).to.not.have.property('void')
          if (buffered) {
            expect(got.headers['content-length']).to.equal(String(got.body.length))
            expect(record['response']).to.not.have.property('streamed')
          } else {
            const digest = createHash('sha256').update(text).digest('base64')
            expect(got.trailers['content-digest']).to.equal(`sha-256=:${digest}:`)
            expect(record['response']).to.have.property('streamed', true)
          }
          spoolIsEmpty()
        })
      }
    }

    // prettier-ignore
    const STOPPED: { name: string; detail: RegExp; answer: (response: ServerResponse) => unknown }[] = [
      { name: 'a leak in a row',    detail: /its answer: found `mobile`/, answer: (response) => { response.writeHead(200, TYPE); return sendRows(response, 3000, row(3000, 'call 13900139000')) } },
      { name: 'a malformed row',    detail: /its answer: .*comma/,        answer: (response) => { response.writeHead(200, TYPE); return sendRows(response, 3000, '{"loan":"L" "note":1}\n') } },
      { name: 'a reset',            detail: /broke off/,                  answer: async (response) => { response.writeHead(200, TYPE); await write(response, rows(3000)); response.socket?.resetAndDestroy() } },
      { name: 'a missing end',      detail: /broke off/,                  answer: async (response) => { response.writeHead(200, TYPE); await write(response, rows(3000)); response.socket?.end() } },
      { name: 'standing still',     detail: /broke off/,                  answer: (response) => { response.writeHead(200, TYPE); return write(response, rows(3000)) } },
    ]
    for (const { name, detail, answer } of STOPPED) {
      it(`is stopped by ${name}`, async () => {
        const sending = await ask(answer)
        const got = await sending.answer()
        const rid = got.headers['evidence-id']
        const record = await relay.recordOf(rid)
        expect(record).to.include({ outcome: 'refused', problem: 'recipient-failed' })
        expect(record['response']).to.have.property('void', true)
        if (buffered) {
          expect(got.status).to.equal(502)
          expect(got.body.toString()).to.match(detail)
        } else {
          // What has left cannot be called back; what came is no whole answer.
          expect(got.status).to.equal(200)
          expect(got.whole).to.equal(false)
          expect(record).to.not.have.property('status')
          const seen = got.body.toString().split('\n').length - 1
          expect(seen).to.be.greaterThan(0)
          const { rows: facts } = record['response'] as { rows: { count: number } }
          expect(facts.count).to.be.within(seen, 3000)
          expect(record['response']).to.have.nested.property('manifest[0].count', facts.count)
        }
        expect(got.body.toString()).to.not.include('13900139000')
        spoolIsEmpty()
      })
    }

    it('keeps going when the caller is gone: its outcome is sealed', async () => {
      const sending = await ask((response) => {
        response.writeHead(200, TYPE)
        return sendRows(response, 200_000)
      })
      const [response] = (await once(sending.request, 'response')) as [ServerResponse]
      const rid = (response as unknown as { headers: Record<string, string> }).headers[
        'evidence-id'
      ]
      sending.request.destroy()
      const record = await relay.recordOf(rid)
      // Held back, all of it had passed, and was sealed, before the first byte left.
      expect(record['outcome']).to.equal(buffered ? 'answered' : 'failed')
      if (!buffered) expect(record['problem']).to.equal('caller-gone')
      spoolIsEmpty()
    })

    it('does not break a long answer off for a caller of HTTP/1.0 in silence', async () => {
      relay.recipient.take = (incoming, response) => {
        incoming.resume()
        response.writeHead(200, TYPE)
        response.end(rows(3000))
      }
      const jwt = await relay.installation.platform.jwt('harbour-bank')
      const body = row(1)
      const lines = [
        'POST /harbour-bank/rows HTTP/1.0',
        'host: gateway',
        `authorization: Bearer ${jwt}`,
        'content-type: application/x-ndjson',
        `content-length: ${Buffer.byteLength(body)}`,
      ]
      const text = `${lines.join('\r\n')}\r\n\r\n${Buffer.from(body).toString('latin1')}`
      const got = await exchangeRaw(relay.gateway.relayUrl, text)
      expect(got).to.match(buffered ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 502 .*HTTP\/1\.0/s)
    })
  })
}

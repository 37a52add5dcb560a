import { expect } from 'chai'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import type { Gateway } from '../../gateway/serve.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { row, rows, rowsPolicy, startSending } from '../support/long.ts'
import { findRecord } from '../support/records.ts'

const LIMITS = { BODY_BYTES_MAX: 4096, STREAM_IDLE_TIMEOUT_MS: 60_000, RECIPIENT_TIMEOUT_MS: 60_000 } // prettier-ignore

/** An answer of a recipient, ready for the wire. */
function answerOf(status: number, body: string, more = ''): string {
  return `HTTP/1.1 ${status} Early\r\ncontent-type: application/x-ndjson\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`
}

/** Patience of the gateway is a minute: whatever waits for it fails by mocha's own limit. */
for (const buffered of [false, true]) {
  describe(`recipients that answer early${buffered ? ', where bodies are held back' : ''}`, function () {
    this.timeout(20_000)
    let server: Server
    let react: (socket: Socket) => void
    let installation: Installation
    let gateway: Gateway
    const sockets = new Set<Socket>()

    before(async () => {
      server = createServer((socket) => {
        sockets.add(socket)
        socket.on('error', () => undefined)
        // The head has come, and some of the body.
        socket.once('data', () => react(socket))
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      installation = await createInstallation(
        `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      )
      installation.addPolicy('rows.yaml', rowsPolicy(buffered ? 'buffered: true' : ''))
      gateway = await installation.start({ limits: LIMITS })
    })
    after(async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await gateway.close()
      installation.remove()
    })

    /** @param idle whether the caller sends nothing more until it has its answer. */
    async function send(idle = false) {
      const authorization = `Bearer ${await installation.platform.jwt('harbour-bank')}`
      const sending = startSending(`${gateway.relayUrl}/harbour-bank/rows`, { authorization })
      let isAnswered = false
      const answered = sending.answer().finally(() => (isAnswered = true))
      // More than the sockets on the way hold.
      const blocks = idle ? 1 : buffered ? 200 : 4000
      for (let i = 0; i < blocks && !isAnswered; i++) {
        await Promise.race([sending.write(rows(1000, i)), answered])
      }
      if (!idle) sending.end()
      const answer = await answered
      sending.request.destroy()
      return {
        answer,
        record: await findRecord(installation.config(), answer.headers['evidence-id']),
      }
    }

    const PROBLEM = '{"note":"too much"}\n'
    // prettier-ignore
    const WAYS: readonly { name: string; react: (socket: Socket) => void }[] = [
      { name: 'and closes',                react: (socket) => { socket.end(answerOf(413, PROBLEM, 'connection: close\r\n')) } },
      { name: 'and reads on',              react: (socket) => { socket.resume(); socket.write(answerOf(413, PROBLEM)) } },
      { name: 'and reads nothing more',    react: (socket) => { socket.pause(); socket.write(answerOf(413, PROBLEM)) } },
      { name: 'in two writes',             react: (socket) => { const text = answerOf(413, PROBLEM); socket.write(text.slice(0, 30)); setImmediate(() => socket.write(text.slice(30))) } },
      { name: 'in chunks',                 react: (socket) => { socket.write(`HTTP/1.1 413 Early\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n14\r\n${PROBLEM}\r\n0\r\n\r\n`) } },
    ]
    for (const { name, react: way } of WAYS) {
      it(`pass an error on: ${name}`, async () => {
        react = way
        const { answer, record } = await send()
        expect(answer.status, answer.body.toString()).to.equal(413)
        expect(answer.body.toString()).to.equal(PROBLEM)
        expect(record).to.include({ outcome: 'answered', status: 413, recipientStatus: 413 })
        expect(record['request']).to.deep.include({ void: true })
      })
    }

    it('get nothing more, and no end', async () => {
      const ended = new Promise<string>((resolve) => {
        react = (socket) => {
          let tail = ''
          socket.on('data', (chunk: Buffer) => (tail = (tail + chunk.toString('latin1')).slice(-9)))
          socket.on('close', () => resolve(tail))
          socket.write(answerOf(413, PROBLEM))
        }
      })
      expect((await send()).answer.status).to.equal(413)
      expect(await ended).to.not.match(/\r\n0\r\n/)
    })

    if (buffered) return

    it('pass an error on while the caller has nothing to send', async () => {
      react = (socket) => void socket.write(answerOf(400, PROBLEM))
      const { answer, record } = await send(true)
      expect(answer.status).to.equal(400)
      expect(record['request']).to.deep.include({ void: true })
      const { manifest } = record['request'] as { manifest: object[] }
      expect(manifest).to.have.length(3)
    })

    it('pass a long error on', async () => {
      const long = row(1).replaceAll('ordinary', 'x'.repeat(2000)).repeat(10)
      react = (socket) => void socket.write(answerOf(422, long))
      const { answer, record } = await send()
      expect(answer.status).to.equal(422)
      expect(answer.whole).to.equal(true)
      expect(answer.body.toString().split('\n')).to.have.length(11)
      expect(record).to.include({ outcome: 'answered', status: 422, recipientStatus: 422 })
      expect(record['request']).to.deep.include({ void: true })
    })

    it('are not believed when they call it a success', async () => {
      react = (socket) => void socket.write(answerOf(200, PROBLEM))
      const { answer, record } = await send()
      expect(answer.status).to.equal(502)
      expect(answer.body.toString())
        .to.include('it answered 200 before it had the whole body')
        .and.include('"released"')
      expect(record).to.include({ outcome: 'refused', problem: 'recipient-failed', recipientStatus: 200 }) // prettier-ignore
      expect(record['request']).to.deep.include({ void: true })
    })

    it('stop the upload: nothing more is taken from the caller', async () => {
      react = (socket) => void socket.write(answerOf(413, PROBLEM))
      const authorization = `Bearer ${await installation.platform.jwt('harbour-bank')}`
      const { hostname, port } = new URL(gateway.relayUrl)
      const caller = connect(Number(port), hostname)
      caller.on('error', () => undefined)
      let answer = ''
      caller.on('data', (chunk: Buffer) => (answer += chunk.toString()))
      const closed = new Promise((resolve) => caller.once('close', resolve))
      caller.write(
        `POST /harbour-bank/rows HTTP/1.1\r\nhost: g\r\nauthorization: ${authorization}\r\n` +
          `content-type: application/x-ndjson\r\ncontent-length: 99999999999\r\n\r\n`,
      )
      const block = rows(1000)
      let sent = 0
      while (!caller.destroyed && sent < 200_000_000) {
        sent += block.length
        if (caller.write(block)) continue
        await Promise.race([new Promise((resolve) => caller.once('drain', resolve)), closed])
      }
      await closed
      expect(answer).to.match(/^HTTP\/1\.1 413 /)
      expect(sent).to.be.lessThan(50_000_000)
    })
  })
}

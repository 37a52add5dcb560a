import { expect } from 'chai'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { rows, rowsPolicy, startTaker } from '../support/long.ts'
import { checkLog, readRecords } from '../support/records.ts'
import { useRelay } from '../support/relay.ts'

const LIMITS = { BODY_BYTES_MAX: 4096 }

describe('faults while a long body is under way', () => {
  const relay = useRelay(startTaker, { each: true })
  beforeEach(() => relay.installation.addPolicy('rows.yaml', rowsPolicy()))

  it('kill -9: the recipient has no end, and the restart seals `unknown`', async () => {
    const gateway = await relay.spawn()
    const sending = await relay.sendLong()
    const arrived = new Promise<IncomingMessage>((resolve) => {
      const take = relay.recipient.take
      relay.recipient.take = (incoming, response) => {
        take(incoming, response)
        resolve(incoming)
      }
    })
    // Beyond 1 MiB, the product's own threshold.
    for (let i = 0; i < 200; i++) await sending.write(rows(100, i * 100))
    const incoming = await arrived
    await gateway.kill('SIGKILL')
    sending.request.destroy()
    for (let i = 0; i < 200 && relay.recipient.taken.length === 0; i++) await sleep(10)
    expect(relay.recipient.taken[0]?.whole).to.equal(false)
    expect(relay.recipient.taken[0]?.body.length).to.be.greaterThan(0)
    const again = await relay.spawn()
    await again.kill('SIGTERM')
    await checkLog(relay.installation.config())
    const records = await readRecords(relay.installation.config())
    const record = records.find(({ rid }) => rid === incoming.headers['evidence-id'])
    expect(record).to.include({ kind: 'exchange', outcome: 'unknown' })
    expect(record?.['request']).to.deep.equal({
      mediaType: 'application/x-ndjson',
      method: 'POST',
      streamed: true,
    })
  })

  it('a slow recipient slows the caller down, and costs no memory', async () => {
    let resume = () => {}
    relay.recipient.take = (incoming, response) => {
      incoming.pause()
      resume = () => {
        incoming.resume()
        incoming.on('end', () => response.end('{}'))
        response.setHeader('content-type', 'application/json')
      }
    }
    await relay.start({ limits: LIMITS })
    const sending = await relay.sendLong()
    const block = Buffer.from(rows(1000))
    const before = process.memoryUsage.rss()
    let sent = 0
    // Stops by itself: the sockets' buffers are full, and nobody takes more.
    while (sent < 100_000_000) {
      sent += block.length
      if (sending.request.write(block)) continue
      const drained = once(sending.request, 'drain').then(() => true)
      if (!(await Promise.race([drained, sleep(1000).then(() => false)]))) break
    }
    expect(sent).to.be.lessThan(40_000_000)
    expect(process.memoryUsage.rss() - before).to.be.lessThan(80_000_000)
    resume()
    sending.end()
    const answer = await sending.answer()
    expect(answer.status, answer.body.toString()).to.equal(200)
  })
})

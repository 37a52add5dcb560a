import { expect } from 'chai'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Installation, createInstallation } from '../support/installation.ts'
import { rows, rowsPolicy, startSending, startTaker, type Taker } from '../support/long.ts'
import { spawnGateway } from '../support/process.ts'
import { checkLog, readRecords } from '../support/records.ts'

const LIMITS = { BODY_BYTES_MAX: 4096 }

describe('faults while a long body is under way', () => {
  let taker: Taker
  let installation: Installation

  beforeEach(async () => {
    taker = await startTaker()
    installation = await createInstallation(taker.url)
    installation.addPolicy('rows.yaml', rowsPolicy())
  })
  afterEach(async () => {
    await taker.close()
    installation.remove()
  })

  async function send(relayUrl: string) {
    const authorization = `Bearer ${await installation.platform.jwt('harbour-bank')}`
    return startSending(`${relayUrl}/harbour-bank/rows`, { authorization })
  }

  it('kill -9: the recipient has no end, and the restart seals `unknown`', async () => {
    const gateway = await spawnGateway(installation.configFile)
    const sending = await send(gateway.relayUrl)
    const arrived = new Promise<IncomingMessage>((resolve) => {
      const take = taker.take
      taker.take = (incoming, response) => {
        take(incoming, response)
        resolve(incoming)
      }
    })
    // Beyond 1 MiB, the product's own threshold.
    for (let i = 0; i < 200; i++) await sending.write(rows(100, i * 100))
    const incoming = await arrived
    await gateway.kill('SIGKILL')
    sending.request.destroy()
    for (let i = 0; i < 200 && taker.taken.length === 0; i++) await sleep(10)
    expect(taker.taken[0]?.whole).to.equal(false)
    expect(taker.taken[0]?.body.length).to.be.greaterThan(0)
    const again = await spawnGateway(installation.configFile)
    await again.kill('SIGTERM')
    await checkLog(installation.config())
    const records = await readRecords(installation.config())
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
    taker.take = (incoming, response) => {
      incoming.pause()
      resume = () => {
        incoming.resume()
        incoming.on('end', () => response.end('{}'))
        response.setHeader('content-type', 'application/json')
      }
    }
    const gateway = await installation.start({ limits: LIMITS })
    try {
      const sending = await send(gateway.relayUrl)
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
    } finally {
      await gateway.close()
    }
  })
})

import { expect } from 'chai'
import type { Clock } from '../../base/clock.ts'
import { verifyRecord } from '../../evidence/renewal/verify.ts'
import type { TimestampSource } from '../../evidence/timestamp/client.ts'
import { recordKey, stampedKey } from '../../evidence/timestamp/stamps.ts'
import { readCalendar, renewDue, startRenewal } from '../../workers/renewal.ts'
import { createStamper } from '../../workers/timestamp.ts'
import { createEvidenceMaker, type EvidenceMaker } from './maker.ts'

const start = Date.parse('2026-11-24T10:00:00Z')
const YEAR_MS = 365 * 86_400_000

describe('the renewal scan', () => {
  let nowMs: number
  let files: Map<string, Uint8Array>
  let maker: EvidenceMaker
  let source: TimestampSource
  const clock: Clock = {
    wallUs: () => BigInt(nowMs) * 1000n,
    monotonicNs: () => BigInt(nowMs) * 1_000_000n,
  }
  const store = {
    put: async (key: string, bytes: Uint8Array) => void files.set(key, Uint8Array.from(bytes)),
    get: async (key: string) => files.get(key),
    list: async (prefix: string) => [...files.keys()].filter((key) => key.startsWith(prefix)),
  }
  const scan = (sunsets?: ReadonlyMap<string, Date>) =>
    renewDue({ store, source, clock, ...(sunsets === undefined ? {} : { sunsets }) })
  const check = async (size: number) => {
    const record = files.get(recordKey(size, 'tsa.example')) ?? new Uint8Array()
    const data = files.get(stampedKey(size)) ?? new Uint8Array()
    return (await verifyRecord(record, data, { roots: [maker.root], at: new Date(nowMs) })).reasons
  }

  beforeEach(async () => {
    nowMs = start
    files = new Map()
    maker = await createEvidenceMaker(clock)
    source = { name: 'tsa.example', roots: [maker.root], send: (request) => maker.send(request) }
    let size = 0
    const checkpoint = async () => ({ size, bytes: Buffer.from(`origin\n${size}\n`) })
    const stamper = await createStamper({
      store,
      checkpoint,
      sources: [source],
      clock,
      intervalMs: 60_000,
      recordsMax: 4096,
      alarm: () => undefined,
    })
    for (size of [1, 2, 3]) await stamper.now()
  })

  it('leaves strong tokens alone', async () => {
    nowMs += 1.9 * YEAR_MS
    expect(await scan()).to.deep.equal({ seen: 3, renewed: 0 })
  })

  it('tells beforehand what it will renew, and by when', async () => {
    const calendar = async (sunsets?: ReadonlyMap<string, Date>) =>
      (await readCalendar(store, sunsets)).map(
        ({ due, kind, size, source: name, tokens }) =>
          `${due.toISOString().slice(0, 10)} ${kind} ${size} ${name} ${tokens}`,
      )
    expect(await calendar()).to.deep.equal([
      '2028-11-23 timestamp 1 tsa.example 1',
      '2028-11-23 timestamp 2 tsa.example 1',
      '2028-11-23 timestamp 3 tsa.example 1',
    ])
    const sunset = new Map([['SHA-256', new Date(start + 2 * YEAR_MS)]])
    expect((await calendar(sunset))[0]).to.equal('2027-11-24 hash 1 tsa.example 1')
    nowMs = start + 2.1 * YEAR_MS
    await maker.renewCertificate()
    await scan()
    expect((await calendar())[0]).to.match(/^2030-\d\d-\d\d timestamp 1 tsa.example 2$/)
  })

  it('renews for decades, and each record stays valid', async () => {
    const sunset = new Map([['SHA-256', new Date(start + 7 * YEAR_MS)]])
    for (const [years, renewed] of [
      [2, 3],
      [4, 3],
      [6, 3],
      [8, 3],
      [8.5, 0],
    ] as const) {
      nowMs = start + years * YEAR_MS
      await maker.renewCertificate()
      expect(await scan(years === 6 ? sunset : undefined), `${years}`).to.deep.equal({
        seen: 3,
        renewed,
      })
      for (const size of [1, 2, 3]) expect(await check(size)).to.deep.equal([])
    }
  })

  it('runs by itself, and alarms when a scan fails', async () => {
    nowMs += 2 * YEAR_MS
    await maker.renewCertificate()
    const alarms: string[] = []
    const alarm = (message: string) => void alarms.push(message)
    await startRenewal({ logs: async () => [store], source, clock, alarm }).close()
    expect([...files.keys()].filter((key) => key.endsWith('.ers'))).to.have.length(3)
    nowMs += 2 * YEAR_MS
    const broken = { ...source, send: async () => Buffer.from('no answer') }
    await startRenewal({ logs: async () => [store], source: broken, clock, alarm }).close()
    expect(alarms).to.deep.equal(['time stamps could not be renewed; the next scan tries again'])
  })

  it('goes on at the next scan when the authority fails', async () => {
    nowMs += 2 * YEAR_MS
    await maker.renewCertificate()
    const good = source
    source = { ...source, send: async () => Buffer.from('no answer') }
    const error = await scan().then(
      () => undefined,
      (thrown: Error) => thrown,
    )
    expect(error).to.have.property('slug', 'timestamp-unavailable')
    source = good
    expect(await scan()).to.deep.equal({ seen: 3, renewed: 3 })
  })
})

import { expect } from 'chai'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import type { Clock } from '../../base/clock.ts'
import type { FileReport } from '../../gateway/file/state.ts'
import { deskFolder, readDesks, statusFile } from '../../gateway/file/status.ts'
import { openTeller } from '../../gateway/file/teller.ts'
import { addDeskMetrics } from '../../gateway/http/desk-metrics.ts'

const RECORD = '01980000-0000-7000-8000-000000000000'
const report = (result: FileReport['result'], more: Partial<FileReport> = {}): FileReport => ({
  file: 'a.txt',
  record: RECORD,
  result,
  policy: 'repayments',
  bytesReceived: 100,
  bytesForwarded: 50,
  seconds: 1,
  ...more, // prettier-ignore
})

describe('the status of a desk', () => {
  const data = mkdtempSync(join(tmpdir(), 'sealgate-status-'))
  const folder = deskFolder(data, 'repayments')
  let nowMs = Date.parse('2026-11-27T10:00:00Z')
  const clock: Clock = { wallUs: () => BigInt(nowMs) * 1000n, monotonicNs: () => 0n }
  const alarms: string[] = []
  const open = () =>
    openTeller(folder, { clock, policy: 'repayments', alarm: (message) => alarms.push(message) })
  beforeEach(() => mkdirSync(folder, { recursive: true }))
  afterEach(() => {
    rmSync(join(data, 'files'), { recursive: true, force: true })
    alarms.length = 0
  })
  after(() => rmSync(data, { recursive: true, force: true }))

  it('says what the desk did, and what it does now', async () => {
    const teller = open()
    expect(statSync(statusFile(folder)).mode & 0o777).to.equal(0o600)
    expect(readDesks(data, clock)).to.have.nested.property('[0].state', 'idle')
    teller.ended(report('delivered', { rows: 3 }))
    nowMs += 1000
    const way = { caller: 'harbour-bank', recipient: 'sunrise-platform', route: 'PUT /r' }
    const done = teller.begin({ record: RECORD, total: 400, ...way }, () => ({
      received: 100,
      forwarded: 60,
      rows: 7,
    }))
    teller.waiting(4, 2)
    nowMs += 2000
    teller.ended(report('refused', { problem: 'row-invalid' }))
    const [status, ...others] = readDesks(data, clock)
    expect(others).to.deep.equal([])
    expect(status).to.deep.include({
      policy: 'repayments',
      state: 'working',
      waiting: 4,
      incomplete: 2,
      delivered: 1,
      refused: 1,
      rows: 3,
      received: 100,
      forwarded: 50, // prettier-ignore
      since: '2026-11-27T10:00:00.000Z',
      seen: '2026-11-27T10:00:03.000Z',
      deliveredAt: '2026-11-27T10:00:00.000Z', // prettier-ignore
      last: { record: RECORD, result: 'refused', at: '2026-11-27T10:00:03.000Z', problem: 'row-invalid' }, // prettier-ignore
    })
    expect(status?.transfers).to.have.length(1)
    expect(status?.transfers[0]).to.include({ ...way, record: RECORD, direction: 'file', rows: 7, bytesPerSecond: 50, remainingBytes: 300, remainingSeconds: 6 }) // prettier-ignore
    expect(readFileSync(statusFile(folder), 'utf8')).to.not.include('a.txt')
    const registry = new Registry()
    addDeskMetrics(registry, () => readDesks(data, clock))
    const metrics = await registry.metrics()
    for (const line of [
      'up{policy="repayments"} 1',
      'files_waiting{policy="repayments"} 4',
      'files_running{policy="repayments"} 1',
      'bytes_remaining{policy="repayments"} 300',
      'files_refused_total{policy="repayments"} 1',
      'rows_total{policy="repayments"} 3',
    ])
      // prettier-ignore
      expect(metrics).to.include(`sealgate_desk_${line}`)
    // Asked again, nothing is counted twice.
    expect(await registry.metrics()).to.equal(metrics)
    done()
    teller.close()
    expect(readDesks(data, clock)).to.have.nested.property('[0].state', 'stopped')
  })

  it('is that of a lost desk when no sign of life comes, and never when it stopped', () => {
    const teller = open()
    const done = teller.begin({ record: RECORD, caller: 'a', recipient: 'b', route: 'r', total: 1 }, () => ({ received: 0, forwarded: 0, rows: 0 })) // prettier-ignore
    teller.ended(report('delivered'))
    nowMs += 14_999
    expect(readDesks(data, clock)).to.have.nested.property('[0].state', 'working')
    nowMs += 1
    const [lost] = readDesks(data, clock)
    expect(lost).to.include({ state: 'lost', delivered: 1 })
    expect(lost?.transfers).to.deep.equal([])
    done()
    teller.close()
    nowMs += 60_000
    expect(readDesks(data, clock)).to.have.nested.property('[0].state', 'stopped')
  })

  it('is none of another version, of half a file, or of nothing', () => {
    expect(readDesks(join(data, 'nowhere'), clock)).to.deep.equal([])
    for (const [name, text] of Object.entries({
      a: '{"v":2}',
      b: '{"v":1,"policy":"b"',
      c: 'null',
      d: '{"v":1,"policy":"d","transfers":[],"waiting":"1"}',
    })) {
      // prettier-ignore
      mkdirSync(deskFolder(data, name))
      writeFileSync(statusFile(deskFolder(data, name)), text)
    }
    writeFileSync(join(data, 'files', 'stray'), '')
    expect(readDesks(data, clock)).to.deep.equal([])
  })

  it('stops nothing when it cannot be written, and says so once', () => {
    const teller = open()
    rmSync(folder, { recursive: true })
    teller.ended(report('delivered'))
    teller.ended(report('delivered'))
    teller.close()
    expect(alarms).to.deep.equal(['the status of the desk cannot be written'])
    expect(existsSync(folder)).to.equal(false)
  })
})

/** A disk that takes no more of the journal while long bodies are under way, as the system says it: EFBIG. */
import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeForeign } from '../foreign/tool.ts'
import { call } from '../support/client.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { rows, rowsPolicy, startSending, startTaker, type Taker } from '../support/long.ts'
import { type GatewayProcess, spawnGateway } from '../support/process.ts'
import { checkLog, readRecords } from '../support/records.ts'

describeForeign('a journal on a full disk', ['prlimit', '--version'], () => {
  let taker: Taker
  let installation: Installation
  let gateway: GatewayProcess
  let rid = ''
  let came = 0

  beforeEach(async () => {
    taker = await startTaker()
    const take = taker.take
    came = 0
    taker.take = (incoming, response) => {
      rid = String(incoming.headers['evidence-id'])
      incoming.on('data', (chunk: Buffer) => (came += chunk.length))
      take(incoming, response)
    }
    installation = await createInstallation(taker.url)
    installation.addPolicy('rows.yaml', rowsPolicy())
    gateway = await spawnGateway(installation.configFile)
  })
  afterEach(async () => {
    await gateway.kill('SIGKILL')
    await taker.close()
    installation.remove()
  })

  const credentials = async () => ({
    authorization: `Bearer ${await installation.platform.jwt('harbour-bank')}`,
    'content-type': 'application/x-ndjson',
  })
  const url = () => `${gateway.relayUrl}/harbour-bank/rows`

  /** A long body of which a part is with the recipient already. */
  async function halfway() {
    const sending = startSending(url(), await credentials())
    for (let i = 0; i < 200; i++) await sending.write(rows(100, i * 100))
    for (let i = 0; i < 500 && came < 500_000; i++) await sleep(10)
    expect(came).to.be.greaterThan(500_000)
    return sending
  }

  /** From now on no file of the gateway may be longer than the newest segment is. */
  function fillDisk(): void {
    const folder = join(installation.folder, 'data/journal')
    const newest = readdirSync(folder).filter((name) => name.endsWith('.seg')).sort().at(-1) ?? '' // prettier-ignore
    const { size } = statSync(join(folder, newest))
    execFileSync('prlimit', ['--pid', String(gateway.child.pid), `--fsize=${size}:${size}`])
  }

  /** What a start with room again seals of the exchange. */
  async function sealedLater() {
    await gateway.kill('SIGKILL')
    gateway = await spawnGateway(installation.configFile)
    await gateway.kill('SIGTERM')
    await checkLog(installation.config())
    const records = await readRecords(installation.config())
    return records.filter((record) => record.rid === rid)
  }

  it('stops what is under way: the recipient has no end, the caller is told, the record is `unknown`', async () => {
    const sending = await halfway()
    fillDisk()
    // The next exchange is the one that finds it out.
    const refused = await call(url(), { body: rows(1), headers: await credentials() })
    expect(refused.status).to.equal(503)
    expect(refused.body).to.include('evidence-unavailable')
    await sending.write(rows(1000))
    const answer = await sending.answer()
    expect(answer.status, answer.body.toString()).to.equal(503)
    expect(answer.body.toString()).to.include('"released"')
    for (let i = 0; i < 200 && taker.taken.length === 0; i++) await sleep(10)
    expect(taker.taken[0]).to.include({ whole: false })
    sending.request.destroy()
    const [record, ...more] = await sealedLater()
    expect(more).to.deep.equal([])
    expect(record).to.include({ kind: 'exchange', outcome: 'unknown' })
    expect(record?.['request']).to.deep.include({ streamed: true })
  }).timeout(60_000)

  it('withholds the answer of one that arrived whole: its outcome cannot be recorded', async () => {
    const sending = await halfway()
    fillDisk()
    sending.end()
    const answer = await sending.answer()
    expect(answer.status, answer.body.toString()).to.equal(503)
    expect(answer.body.toString()).to.include('outcome-unrecorded')
    expect(taker.taken[0]).to.include({ whole: true })
    const ready = await call(`${gateway.adminUrl}/readyz`, { method: 'GET' })
    expect(ready.status).to.equal(503)
    const [record, ...more] = await sealedLater()
    expect(more).to.deep.equal([])
    expect(record).to.include({ kind: 'exchange', outcome: 'unknown' })
  }).timeout(60_000)
})

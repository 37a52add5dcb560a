import { expect } from 'chai'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { Gateway } from '../../gateway/serve.ts'
import { type Bank, startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { runCommand } from '../support/process.ts'
import { findRecord, readRecords } from '../support/records.ts'
import { APPLICATION } from '../support/relay.ts'

const DAY_S = 86_400

describe('the clock of the running gateway', function () {
  this.timeout(30_000)
  let bank: Bank
  let installation: Installation
  let gateway: Gateway | undefined
  let aheadS: number
  const clock: Clock = {
    wallUs: () => systemClock.wallUs() + BigInt(aheadS) * 1_000_000n,
    monotonicNs: () => systemClock.monotonicNs() + BigInt(aheadS) * 1_000_000_000n,
  }

  before(async () => {
    bank = await startBank()
  })
  after(() => bank.close())
  beforeEach(async () => {
    aheadS = 0
    const nowS = () => Number(clock.wallUs() / 1_000_000n)
    installation = await createInstallation(bank.url, undefined, nowS)
  })
  afterEach(async () => {
    await gateway?.close()
    gateway = undefined
    installation.remove()
  })

  const apply = async ({ relayUrl }: Gateway) =>
    call(`${relayUrl}/harbour-bank/credit/applications`, {
      body: APPLICATION,
      headers: {
        authorization: `Bearer ${await installation.platform.jwt('harbour-bank')}`,
        'content-type': 'application/json',
      },
    })

  it('stops relaying while its error is beyond the limit, and says why', async () => {
    const offset = '-1.5'
    const tracking = `C0000201,192.0.2.1,3,1764000000.1,${offset},0.1,0.1,-9.1,0.001,0.05,0.002,0.0007,64.2,Normal\n`
    gateway = await installation.start({ run: async () => tracking })
    const seen = bank.received.length
    const answer = await apply(gateway)
    expect(answer.status).to.equal(503)
    expect(JSON.parse(answer.body)).to.include({ type: '/problems/evidence-unavailable' })
    expect(bank.received).to.have.length(seen)
    const ready = await call(`${gateway.adminUrl}/readyz`, { method: 'GET' })
    expect(ready.status).to.equal(503)
    expect(ready.body).to.include('the clock is beyond its limits')
    await gateway.close()
    gateway = undefined
    const kinds = (await readRecords(installation.config())).map(({ kind }) => kind)
    expect(kinds).to.deep.equal(['key', 'clock'])
  })

  it('relays without a time service, and seals that there is none', async () => {
    gateway = await installation.start({ run: async () => undefined })
    const answer = await apply(gateway)
    expect(answer.status).to.equal(200)
    await findRecord(installation.config(), answer.headers['evidence-id'])
    const records = await readRecords(installation.config())
    const watched = records.find(({ kind }) => kind === 'clock')
    expect(watched).to.deep.include({ source: 'none', synced: false, jumped: false })
  })

  it('renews the seal key in time, announces it, and exports verify under both', async () => {
    gateway = await installation.start({ clock })
    const rids: string[] = []
    const relay = async (running: Gateway) => {
      const { headers } = await apply(running)
      await findRecord(installation.config(), headers['evidence-id'])
      rids.push(String(headers['evidence-id']))
    }
    await relay(gateway)
    aheadS = 6 * DAY_S // Of seven; the key is due from 5.6 days on.
    await relay(gateway) // Asks for the next key.
    await relay(gateway)
    const keys = (await readRecords(installation.config())).filter(({ kind }) => kind === 'key')
    expect(keys).to.have.length(2)
    expect(keys[1]?.['retired']).to.deep.include({ key: keys[0]?.['activated'] })
    const config = ['--config', installation.configFile]
    const found = await runCommand(['evidence', 'search', '--kind', 'key', ...config])
    expect(found.stdout.trim().split('\n')).to.have.length(2)
    for (const rid of [rids[0], rids[2]]) {
      const file = `${installation.folder}/${rid}.json`
      await runCommand(['evidence', 'export', String(rid), ...config, '--out', file])
      const trust = `${installation.folder}/data/trust.json`
      expect((await runCommand(['verify', file, '--trust', trust])).code).to.equal(0)
    }
  })
})

import { expect } from 'chai'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bank, startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { type GatewayProcess, spawnGateway } from '../support/process.ts'
import { checkLog, findRecord } from '../support/records.ts'

const BODY = readFileSync(new URL('../fixtures/lending/02-application.json', import.meta.url))

describe('a log that takes no records', function () {
  this.timeout(30_000)
  let bank: Bank
  let installation: Installation
  let gateway: GatewayProcess

  before(async () => {
    bank = await startBank()
    installation = await createInstallation(bank.url)
    gateway = await spawnGateway(installation.configFile)
  })
  after(async () => {
    await gateway.kill('SIGTERM')
    installation.remove()
    await bank.close()
  })

  const apply = async () => {
    const { status, headers } = await call(`${gateway.relayUrl}/harbour-bank/credit/applications`, {
      body: BODY,
      headers: {
        authorization: `Bearer ${await installation.platform.jwt('harbour-bank')}`,
        'content-type': 'application/json',
      },
    })
    expect(status).to.equal(200)
    return headers['evidence-id']
  }
  const warningsUntil = async (isEnough: (warnings: string[]) => boolean): Promise<string[]> => {
    for (let tries = 0; ; tries += 1) {
      const { status, body } = await call(`${gateway.adminUrl}/readyz`, { method: 'GET' })
      expect(status).to.equal(200)
      const { warnings } = JSON.parse(body) as { warnings: string[] }
      if (isEnough(warnings) || tries === 300) return warnings
      await sleep(50)
    }
  }

  it('stops no relay, shows as a warning, and gets the records when it is well again', async () => {
    const first = await apply()
    await findRecord(installation.config(), first)
    const log = join(installation.folder, 'data/log')
    renameSync(log, `${log}.away`)
    writeFileSync(log, '')
    const second = await apply()
    const isTold = () => /the log took no records; \d+ wait in the journal/.test(gateway.output())
    const warnings = await warningsUntil(({ length }) => length > 0 && isTold())
    expect(warnings.join()).to.match(/^records wait in the journal: the log /)
    rmSync(log)
    renameSync(`${log}.away`, log)
    await findRecord(installation.config(), second)
    expect(await warningsUntil(({ length }) => length === 0)).to.deep.equal([])
    await checkLog(installation.config())
  })

  it('ends when told to, and the next start hands over what waits', async () => {
    const log = join(installation.folder, 'data/log')
    renameSync(log, `${log}.away`)
    writeFileSync(log, '')
    const waiting = await apply()
    expect(await gateway.kill('SIGTERM')).to.equal(0)
    rmSync(log)
    renameSync(`${log}.away`, log)
    gateway = await spawnGateway(installation.configFile)
    await findRecord(installation.config(), waiting)
    await checkLog(installation.config())
  })
})

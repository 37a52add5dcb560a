import { expect } from 'chai'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { checkLog } from '../support/records.ts'
import { useRelay } from '../support/relay.ts'

describe('a log that takes no records', function () {
  this.timeout(30_000)
  const relay = useRelay(startBank)

  const warningsUntil = async (isEnough: (warnings: string[]) => boolean): Promise<string[]> => {
    for (let tries = 0; ; tries += 1) {
      const { status, body } = await call(`${relay.gateway.adminUrl}/readyz`, { method: 'GET' })
      expect(status).to.equal(200)
      const { warnings } = JSON.parse(body) as { warnings: string[] }
      if (isEnough(warnings) || tries === 300) return warnings
      await sleep(50)
    }
  }

  it('stops no relay, shows as a warning, and gets the records when it is well again', async () => {
    const gateway = await relay.spawn()
    const first = await relay.apply()
    await relay.recordOf(first)
    const log = relay.inFolder('data/log')
    renameSync(log, `${log}.away`)
    writeFileSync(log, '')
    const second = await relay.apply()
    const isTold = () => /the log took no records; \d+ wait in the journal/.test(gateway.output())
    const warnings = await warningsUntil(({ length }) => length > 0 && isTold())
    expect(warnings.join()).to.match(/^records wait in the journal: the log /)
    rmSync(log)
    renameSync(`${log}.away`, log)
    await relay.recordOf(second)
    expect(await warningsUntil(({ length }) => length === 0)).to.deep.equal([])
    await checkLog(relay.installation.config())
  })

  it('ends when told to, and the next start hands over what waits', async () => {
    const gateway = await relay.spawn()
    const log = relay.inFolder('data/log')
    renameSync(log, `${log}.away`)
    writeFileSync(log, '')
    const waiting = await relay.apply()
    expect(await gateway.kill('SIGTERM')).to.equal(0)
    rmSync(log)
    renameSync(`${log}.away`, log)
    await relay.spawn()
    await relay.recordOf(waiting)
    await checkLog(relay.installation.config())
  })
})

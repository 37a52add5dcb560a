import { expect } from 'chai'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bank, startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { type GatewayProcess, runCommand, spawnGateway } from '../support/process.ts'
import { findRecord } from '../support/records.ts'

describe('a revoked seal certificate', function () {
  this.timeout(60_000)
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

  const inFolder = (...names: string[]) => join(installation.folder, ...names)
  /** A refusal is a record too. */
  const makeRecord = async () => {
    const { headers } = await call(`${gateway.relayUrl}/harbour-bank/x`, { body: '{}' })
    const rid = String(headers['evidence-id'])
    await findRecord(installation.config(), rid)
    return rid
  }
  const fetchLists = async () => {
    const { body } = await call(`${gateway.relayUrl}/.well-known/revocation-lists.pem`, {
      method: 'GET',
    })
    writeFileSync(inFolder('lists.pem'), body)
  }
  const verify = async (rid: string) => {
    const out = inFolder('record.json')
    const config = ['--config', installation.configFile]
    await runCommand(['evidence', 'export', rid, ...config, '--out', out])
    const trust = ['--trust', inFolder('data/trust.json'), '--revocation', inFolder('lists.pem')]
    return runCommand(['verify', out, ...trust])
  }

  it('seals what counts before, and nothing that counts after', async () => {
    const before = await makeRecord()
    await fetchLists()
    const good = await verify(before)
    expect(good.stdout).to.match(/^✓ certificate: .*, by the lists not revoked$/m)
    expect(good.code).to.equal(0)
    await sleep(1100) // Lists and seals tell time in seconds.
    const [name = ''] = readdirSync(inFolder('data/certificates'))
    const file = inFolder('data/certificates', name)
    const revoke = ['keys', 'revoke', file, '--config', installation.configFile]
    expect((await runCommand(revoke)).code).to.equal(0)
    const after = await makeRecord()
    await fetchLists()
    expect((await verify(before)).code).to.equal(0)
    const bad = await verify(after)
    expect(bad.stdout).to.match(/^✗ certificate: .* was revoked at /m)
    expect(bad.code).to.equal(1)
  })

  it('fails without a list of its issuer: silence is not consent', async () => {
    const rid = await makeRecord()
    writeFileSync(inFolder('lists.pem'), '')
    const { code, stdout } = await verify(rid)
    expect(stdout).to.match(/^✗ certificate: .*no revocation list/m)
    expect(code).to.equal(1)
  })
})

import { expect } from 'chai'
import { readdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { useRelay } from '../support/relay.ts'

describe('a revoked seal certificate', function () {
  this.timeout(60_000)
  const relay = useRelay(startBank)

  before(() => relay.spawn())

  /** A refusal is a record too. */
  const makeRecord = async () => {
    const { headers } = await call(`${relay.gateway.relayUrl}/harbour-bank/x`, { body: '{}' })
    const rid = String(headers['evidence-id'])
    await relay.recordOf(rid)
    return rid
  }
  const fetchLists = async () => {
    const { body } = await call(`${relay.gateway.relayUrl}/.well-known/revocation-lists.pem`, {
      method: 'GET',
    })
    writeFileSync(relay.inFolder('lists.pem'), body)
  }
  const verify = async (rid: string) => {
    const out = relay.inFolder('record.json')
    await relay.run('evidence', 'export', rid, '--out', out)
    return relay.verify(out, '--revocation', relay.inFolder('lists.pem'))
  }

  it('seals what counts before, and nothing that counts after', async () => {
    const before = await makeRecord()
    await fetchLists()
    const good = await verify(before)
    expect(good.stdout).to.match(/^✓ certificate: .*, by the lists not revoked$/m)
    expect(good.code).to.equal(0)
    await sleep(1100) // Lists and seals tell time in seconds.
    const [name = ''] = readdirSync(relay.inFolder('data/certificates'))
    const file = relay.inFolder('data/certificates', name)
    expect((await relay.run('keys', 'revoke', file)).code).to.equal(0)
    const after = await makeRecord()
    await fetchLists()
    expect((await verify(before)).code).to.equal(0)
    const bad = await verify(after)
    expect(bad.stdout).to.match(/^✗ certificate: .* was revoked at /m)
    expect(bad.code).to.equal(1)
  })

  it('fails without a list of its issuer: silence is not consent', async () => {
    const rid = await makeRecord()
    writeFileSync(relay.inFolder('lists.pem'), '')
    const { code, stdout } = await verify(rid)
    expect(stdout).to.match(/^✗ certificate: .*no revocation list/m)
    expect(code).to.equal(1)
  })
})

import { expect } from 'chai'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../base/clock.ts'
import { openSqliteIndex } from '../../evidence/index/sqlite.ts'
import { openLogKeys } from '../../evidence/log/keys.ts'
import { logName } from '../../evidence/log/line-name.ts'
import { logStore } from '../../evidence/log/line.ts'
import type { LockStore } from '../../evidence/log/lock.ts'
import { ED25519_COSIGNATURE, makeSigner } from '../../evidence/log/note.ts'
import { openSequencer } from '../../evidence/log/sequencer.ts'
import { openFolderStore } from '../../evidence/log/store.ts'
import { addCheckpoint } from '../../evidence/log/witness.ts'
import { createWitnessServer } from '../../evidence/log/witness-server.ts'
import { logPlaces } from '../../gateway/places.ts'
import { recordMaker } from '../log/records.ts'
import { memoryLock, memoryStore } from '../log/memory.ts'
import { startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { runCommand } from '../support/process.ts'
import { useRelay } from '../support/relay.ts'

describe('witnesses of the running product', function () {
  this.timeout(30_000)
  const relay = useRelay(startBank)
  let server: Server
  const name = logName(systemClock.wallUs())
  const witness = makeSigner('bank.test/w', ED25519_COSIGNATURE, generateKeyPairSync('ed25519').privateKey) // prettier-ignore
  let state: LockStore = memoryLock({ next: undefined })

  before(async () => {
    const { data, origin } = logPlaces(relay.installation.config())
    const logs = openLogKeys(join(data, 'keys'), origin).map(({ verifier }) => verifier)
    const ports = {
      ...{ cosigners: [witness], logs, clock: systemClock },
      get state() {
        return state
      },
    }
    server = createWitnessServer(ports, () => undefined).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const policy = relay.inFolder('witnesses.policy')
    writeFileSync(policy, `witness bank ${witness.verifier.text} ${url}\nquorum bank\n`)
    relay.configure('witnesses: { policy: witnesses.policy, interval: 1s }\n')
    await relay.spawn()
  })
  after(() => {
    server.close()
    server.closeAllConnections()
  })

  const metric = async (which: string): Promise<number> => {
    const { body } = await call(`${relay.gateway.adminUrl}/metrics`, { method: 'GET' })
    return Number(new RegExp(`^${which} (\\d+)$`, 'm').exec(body)?.[1] ?? Number.NaN)
  }
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    for (let tries = 0; tries < 150 && !(await condition()); tries += 1) await sleep(100)
  }

  it('cosign what is sealed, and a verifier can demand it', async () => {
    const rid = await relay.apply()
    const file = relay.inFolder('record.json')
    const root = relay.inFolder('data/keys/root.crt.pem')
    const policy = relay.inFolder('witnesses.policy')
    const trust = relay.inFolder('trust.json')
    const verify = async () => {
      await relay.run('evidence', 'export', rid, '--out', file)
      const printed = await relay.run('log', 'trust', '--root', root, '--policy', policy)
      writeFileSync(trust, printed.stdout)
      return runCommand(['verify', file, '--trust', trust])
    }
    await until(async () => (await metric('sealgate_log_witnessed_records')) >= 3)
    let result = await verify()
    for (let tries = 0; tries < 20 && result.code !== 0; tries += 1) result = await verify()
    expect(result.stdout).to.match(/^✓ witnesses: cosigned by `bank` at /m)
    expect(result.code).to.equal(0)
    expect(await metric('sealgate_log_split_views')).to.equal(0)
  })

  it('raise an alarm when one saw another history, and the proof is kept', async () => {
    // The operator has shown the bank another history, signed by the same keys.
    const { data, origin } = logPlaces(relay.installation.config())
    const full = `${origin}/${name}`
    const signers = openLogKeys(join(data, 'keys'), full)
    const [lock, index] = [memoryLock({ next: undefined }), openSqliteIndex(':memory:')]
    const store = memoryStore({ next: undefined })
    const other = await openSequencer({ store, lock, index, origin: full, signers, clock: systemClock }) // prettier-ignore
    await other.append(recordMaker(61).many(2))
    const shown = memoryLock({ next: undefined })
    const logs = signers.map(({ verifier }) => verifier)
    const answer = await addCheckpoint(
      { cosigners: [witness], logs, state: shown, clock: systemClock },
      `old 0\n\n${other.reader().text}`,
    )
    expect(answer.status).to.equal(200)
    state = shown
    await relay.apply()
    await until(async () => (await metric('sealgate_log_split_views')) === 1)
    expect(await metric('sealgate_log_split_views')).to.equal(1)
    const { body } = await call(`${relay.gateway.adminUrl}/readyz`, { method: 'GET' })
    expect(body).to.match(/"warnings":\[.*split view: witness `bank.test\/w` /)
    const kept = await logStore(openFolderStore(logPlaces(relay.installation.config()).log), name).list('split/') // prettier-ignore
    expect(kept).to.deep.equal([
      `split/2.${witness.verifier.id}.log`,
      `split/2.${witness.verifier.id}.witness`,
    ])
  })
})

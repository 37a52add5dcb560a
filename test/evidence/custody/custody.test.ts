import { expect } from 'chai'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../base/clock.ts'
import { Problem } from '../../../base/problem.ts'
import { derivedSecrets, openClaim, verifyDisclosure } from '../../../evidence/commitment.ts'
import * as custody from '../../../evidence/custody/custody.ts'
import { startRetention } from '../../../evidence/custody/retention.ts'
import { folderStore, type CustodyStore } from '../../../evidence/custody/store.ts'
import { openRecorder, type OpenRecorder } from '../../../evidence/recorder.ts'
import { MemoryFiles } from '../journal/faults.ts'
import * as support from '../support.ts'

const UNTIL = '2031-11-24'
const CLAIMS = [
  { name: 'f:$.mobile', json: '"13800138000"' },
  { name: 'f:$.amount', json: '1.10' },
]

describe('custody', () => {
  let folder: ReturnType<typeof support.temporaryFolder>
  let store: CustodyStore
  let log: support.TestLog
  let recorder: OpenRecorder
  let custodian: JWK
  let ports: custody.KeeperPorts
  beforeEach(async () => {
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
    custodian = await exportJWK(pair.privateKey)
    folder = support.temporaryFolder()
    store = folderStore(folder.path)
    log = new support.TestLog()
    recorder = await openRecorder({
      ...support.recorderOptions('memory', log.persist),
      files: new MemoryFiles().files(),
      custody: await custody.createCustody(store, await exportJWK(pair.publicKey)),
    })
    ports = { store, note: recorder.note }
  })
  afterEach(async () => {
    await recorder.close()
    folder.remove()
  })

  async function exchange(until = UNTIL): Promise<string> {
    const rid = support.newRid()
    const intent = { ...support.intentOf(rid, CLAIMS), custody: { until } }
    await recorder.intend(intent)
    const response = { ...intent.request, claims: [{ name: 'r:$.decision', json: '"yes"' }] }
    await recorder.conclude(rid, { ...support.ANSWERED, response })
    await recorder.idle()
    return rid
  }
  const payloadOf = (rid: string) => log.payloads().find((payload) => payload.rid === rid)
  const textsOf = async (rid: string) =>
    Promise.all((await store.find(rid)).map((item) => store.get(item)))

  it('lets the custodian open each claim of both directions, and nobody else', async () => {
    const rid = await exchange()
    const payload = payloadOf(rid)
    expect(payload).to.deep.include({ custody: { until: UNTIL } })
    const originals = await Promise.all((await textsOf(rid)).map((jwe) => custody.openOriginal(jwe, custodian))) // prettier-ignore
    const opened = originals.flatMap(({ disclosures }) =>
      disclosures.map((disclosure) => verifyDisclosure(disclosure, payload?._sd ?? [])),
    )
    expect(opened.map((claim) => claim?.name)).to.have.members(['f:$.mobile', 'f:$.amount', 'r:$.decision']) // prettier-ignore
    expect(opened.map((claim) => claim?.json)).to.have.members(['"13800138000"', '1.10', '"yes"'])
    const other = await exportJWK((await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })).privateKey) // prettier-ignore
    const [jwe = ''] = await textsOf(rid)
    const error = await custody.openOriginal(jwe, other).catch((problem: unknown) => problem)
    expect(error).to.be.instanceOf(Problem).with.property('slug', 'key-unusable')
  })

  it('keeps the secret out of reach of the commitment key, and values out of every file', async () => {
    const rid = await exchange()
    const derived = derivedSecrets(support.COMMITMENT_KEY).secretOf(rid)
    const sd = payloadOf(rid)?._sd ?? []
    expect(openClaim(derived, sd, 'f:$.mobile', '"13800138000"')).to.equal(undefined)
    const day = join(folder.path, UNTIL)
    expect(readdirSync(day)).to.have.length(2)
    for (const name of readdirSync(day)) {
      expect(statSync(join(day, name)).mode & 0o777).to.equal(0o600)
      expect(readFileSync(join(day, name), 'utf8')).to.not.include('13800138000')
    }
  })

  it('destroys originals after a record that lists them, and leaves the chain whole', async () => {
    const [rid, kept] = [await exchange(), await exchange()]
    const { erased, held } = await custody.erase(ports, rid, 'PIPL art. 47')
    expect([erased.length, held.length]).to.deep.equal([2, 0])
    expect(await store.find(rid)).to.deep.equal([])
    expect(await store.find(kept)).to.have.length(2)
    await recorder.idle()
    log.check()
    const record = log.payloads().at(-1)
    expect(record).to.include({ kind: 'erase', rule: 'PIPL art. 47' })
    const destroyed = record?.['destroyed'] as { record: string; part: string }[]
    expect(destroyed.map(({ part }) => part)).to.have.members(['request', 'response'])
    expect(destroyed.every(({ record }) => record === rid)).to.equal(true)
  })

  it('erases nothing that is held, by hand or by retention, until the hold ends', async () => {
    const rid = await exchange('2020-01-01')
    await custody.hold(ports, rid, 'case 42')
    expect((await custody.erase(ports, rid, 'request of the person')).held).to.have.length(2)
    expect((await custody.eraseExpired(ports, '2026-01-01')).erased).to.deep.equal([])
    expect(await store.find(rid)).to.have.length(2)
    await custody.releaseHold(ports, rid, 'case 42 closed')
    expect((await custody.eraseExpired(ports, '2026-01-01')).erased).to.have.length(2)
    await recorder.idle()
    expect(log.payloads().map(({ kind }) => kind)).to.deep.equal(['exchange', 'hold', 'hold', 'erase']) // prettier-ignore
  })

  it('erases by retention only what has ended', async () => {
    const [past, today] = [await exchange('2026-11-23'), await exchange('2026-11-24')]
    await custody.eraseExpired(ports, '2026-11-24')
    expect(await store.find(past)).to.deep.equal([])
    expect(await store.find(today)).to.have.length(2)
    await custody.eraseExpired(ports, '2026-11-24')
    await recorder.idle()
    expect(log.payloads().filter(({ kind }) => kind === 'erase')).to.have.length(1)
  })

  it('erases by itself when the job runs, and tells the operator when it cannot', async () => {
    const rid = await exchange('2020-01-01')
    const alarms: string[] = []
    const alarm = (message: string) => void alarms.push(message)
    await startRetention({ ...ports, clock: systemClock, alarm }).stop()
    expect(await store.find(rid)).to.deep.equal([])
    expect(alarms).to.deep.equal([])
    const left = await exchange('2020-01-01')
    await recorder.close()
    await startRetention({ ...ports, clock: systemClock, alarm }).stop()
    expect(await store.find(left)).to.have.length(2)
    expect(alarms).to.have.length(1)
  })

  it('destroys nothing when the erase record cannot be made durable', async () => {
    const rid = await exchange()
    await recorder.close()
    const error = await custody.erase(ports, rid, 'x').catch((problem: unknown) => problem)
    expect(error).to.have.property('slug', 'evidence-unavailable')
    expect(await store.find(rid)).to.have.length(2)
  })

  it('refuses an exchange whose originals cannot be kept', async () => {
    const options = support.recorderOptions('memory', log.persist)
    const without = await openRecorder({ ...options, files: new MemoryFiles().files() })
    const intent = { ...support.intentOf(support.newRid(), CLAIMS), custody: { until: UNTIL } }
    const error = await without.intend(intent).catch((problem: unknown) => problem)
    expect(error).to.have.property('slug', 'evidence-unavailable')
    await without.close()
    const broken = { ...intent, custody: { until: '../../etc' } }
    expect(await recorder.intend(broken).catch((problem: unknown) => problem)).to.have.property('slug', 'evidence-unavailable') // prettier-ignore
  })

  it('takes a custodian key on P-256 or X25519 only', async () => {
    for (const jwk of [
      { kty: 'oct', k: 'AAAA' },
      { kty: 'EC', crv: 'P-384', x: 'AA', y: 'AA' },
    ]) {
      const error = await custody.createCustody(store, jwk).catch((problem: unknown) => problem)
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'key-unusable')
    }
  })
})

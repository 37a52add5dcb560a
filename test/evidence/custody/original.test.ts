import { expect } from 'chai'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../../../base/problem.ts'
import { decodeRecords } from '../../../evidence/custody/coding.ts'
import * as custody from '../../../evidence/custody/custody.ts'
import { bodySecret } from '../../../evidence/custody/original.ts'
import { type CustodyStore, folderStore, type Part } from '../../../evidence/custody/store.ts'
import { openRecorder, type OpenRecorder } from '../../../evidence/recorder.ts'
import { MemoryFiles } from '../journal/faults.ts'
import * as support from '../support.ts'

const UNTIL = '2031-11-24'
const CUSTODY = { until: UNTIL }
const TEXT = Buffer.from('13800138000,'.repeat(20_000))

describe('originals of long bodies', () => {
  let folder: ReturnType<typeof support.temporaryFolder>
  let store: CustodyStore
  let log: support.TestLog
  let recorder: OpenRecorder
  let custodian: JWK
  let alarms: string[]

  beforeEach(async () => {
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
    custodian = await exportJWK(pair.privateKey)
    folder = support.temporaryFolder()
    store = folderStore(folder.path)
    log = new support.TestLog()
    alarms = []
    await open(await custody.createCustody(store, await exportJWK(pair.publicKey)))
  })
  afterEach(async () => {
    await recorder.close()
    folder.remove()
  })

  async function open(keeper?: custody.Custody): Promise<void> {
    recorder = await openRecorder({
      ...support.recorderOptions('memory', log.persist),
      files: new MemoryFiles().files(),
      ...(keeper === undefined ? {} : { custody: keeper }),
      alarm: (message) => void alarms.push(message),
    })
  }
  const intend = (rid: string) =>
    recorder.intend({ ...support.intentOf(rid, [{ name: 'url', json: '"/x"' }]), custody: CUSTODY })
  const parts = async (rid: string) => (await store.find(rid)).map(({ part }) => part).toSorted()

  /** What the custodian reads of a body; with the slug of what ended it early. */
  async function read(rid: string, part: Part): Promise<string> {
    const jwe = await store.get({ rid, part: 'request', until: UNTIL })
    const { secret } = await custody.openOriginal(jwe, custodian)
    const body = decodeRecords(store.read({ rid, part, until: UNTIL }), bodySecret(secret, part))
    const came: Buffer[] = []
    try {
      for await (const bytes of body) came.push(bytes)
    } catch (error) {
      if (error instanceof Problem) return `${Buffer.concat(came).length} bytes, ${error.slug}`
      throw error
    }
    return Buffer.concat(came).toString()
  }

  it('are kept in both directions under the secret of the record, and no file shows them', async () => {
    const rid = support.newRid()
    const request = recorder.body(rid, 'request', CUSTODY)
    await request.original?.write(TEXT)
    await intend(rid)
    await request.original?.write(TEXT)
    await request.original?.finish()
    const response = recorder.body(rid, 'response', CUSTODY)
    await response.original?.write(Buffer.from('answer'))
    await response.original?.finish()
    await recorder.conclude(rid, support.ANSWERED)
    expect(await parts(rid)).to.deep.equal(['request', 'request.body', 'response.body'])
    expect(await read(rid, 'request.body')).to.equal(TEXT.toString().repeat(2))
    expect(await read(rid, 'response.body')).to.equal('answer')
    for (const name of readdirSync(join(folder.path, UNTIL))) {
      const path = join(folder.path, UNTIL, name)
      expect(statSync(path).mode & 0o777).to.equal(0o600)
      expect(readFileSync(path, 'latin1')).to.not.include('13800138000')
    }
    expect(alarms).to.deep.equal([])
  })

  it('commit to rows by that secret, and not by the one that the commitment key gives', () => {
    const [rid, other] = [support.newRid(), support.newRid()]
    const rootOf = (id: string, until?: typeof CUSTODY) => {
      const { ledger } = recorder.body(id, 'request', until)
      const row = { bytes: Buffer.from('row'), cuts: [0, 3] }
      ledger.enter(row, row)
      ledger.settle()
      return ledger.facts().received
    }
    expect(rootOf(other)).to.equal(rootOf(other))
    expect(rootOf(rid, CUSTODY)).to.not.equal(rootOf(rid))
  })

  it('are kept as far as they came when the exchange is stopped', async () => {
    const rid = support.newRid()
    const { original } = recorder.body(rid, 'request', CUSTODY)
    await original?.write(TEXT)
    await intend(rid)
    await recorder.conclude(rid, { ...support.ANSWERED, result: 'failed' })
    expect(await read(rid, 'request.body')).to.equal(TEXT.toString())
  })

  it('end in turn with what is still being written, and take nothing more', async () => {
    const rid = support.newRid()
    const { original } = recorder.body(rid, 'request', CUSTODY)
    await intend(rid)
    const writing = Array.from({ length: 5 }, () => original?.write(TEXT))
    const concluded = recorder.conclude(rid, { ...support.ANSWERED, result: 'failed' })
    const late = original?.write(TEXT).catch((error: unknown) => error)
    await Promise.all([...writing, concluded])
    expect(await late).to.have.property('slug', 'evidence-unavailable')
    expect(await read(rid, 'request.body')).to.equal(TEXT.toString().repeat(5))
  })

  it('break off where a crash cut them off, and end when the recorder is closed', async () => {
    const rid = support.newRid()
    const { original } = recorder.body(rid, 'request', CUSTODY)
    await intend(rid)
    await original?.write(TEXT)
    expect(await read(rid, 'request.body')).to.match(/^\d{6} bytes, body-malformed$/)
    await recorder.close()
    expect(await read(rid, 'request.body')).to.equal(TEXT.toString())
  })

  it('are removed when nothing left: at a refusal, and when the intent is not taken', async () => {
    const [refused, again] = [support.newRid(), support.newRid()]
    await recorder.body(refused, 'request', CUSTODY).original?.write(TEXT)
    expect(await parts(refused)).to.deep.equal(['request.body'])
    const refusal = { problem: 'leak-detected', status: 422, claims: [] }
    await recorder.refuse({ rid: refused, receivedUs: 1n, answeredUs: 2n, ...refusal })
    expect(await parts(refused)).to.deep.equal([])
    await intend(again)
    await recorder.body(again, 'response', CUSTODY).original?.write(TEXT)
    expect(await intend(again).catch((error: unknown) => error)).to.be.instanceOf(Problem)
    expect(await parts(again)).to.deep.equal(['request'])
  })

  it('are destroyed with the rest of a record, and counted', async () => {
    const rid = support.newRid()
    const { original } = recorder.body(rid, 'request', CUSTODY)
    await intend(rid)
    await original?.write(TEXT)
    await recorder.conclude(rid, support.ANSWERED)
    const { erased } = await custody.erase({ store, note: recorder.note }, rid, 'PIPL art. 47')
    expect(erased.map(({ part }) => part)).to.have.members(['request', 'request.body'])
    expect(await store.find(rid)).to.deep.equal([])
    await recorder.idle()
    const destroyed = log.payloads().at(-1)?.['destroyed'] as { part: string; digest: string }[]
    expect(destroyed.map(({ part }) => part)).to.have.members(['request', 'request.body'])
    expect(destroyed.every(({ digest }) => /^[\w-]{43}$/.test(digest))).to.equal(true)
  })

  const fault = new Error('the disk is full')
  // prettier-ignore
  const FAULTS: readonly [name: string, store: (real: CustodyStore) => Partial<CustodyStore>, write: boolean][] = [
    ['no file can be made',      () => ({ create: () => Promise.reject(fault) }),                              true],
    ['nothing can be appended',  (real) => ({ create: async (item) => ({ ...(await real.create(item)), append: () => Promise.reject(fault) }) }), true],
    ['nothing can be synced',    (real) => ({ create: async (item) => ({ ...(await real.create(item)), sync: () => Promise.reject(fault) }) }),   false],
  ]
  for (const [name, broken, failsAtWrite] of FAULTS) {
    it(`stop the exchange when ${name}, and its outcome is recorded still`, async () => {
      await recorder.close()
      const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
      const faulty = { ...store, ...broken(store) }
      await open(await custody.createCustody(faulty, await exportJWK(pair.publicKey)))
      const rid = support.newRid()
      await intend(rid)
      const { original } = recorder.body(rid, 'response', CUSTODY)
      const written = await original?.write(TEXT).catch((error: unknown) => error)
      if (failsAtWrite) expect(written).to.have.property('slug', 'evidence-unavailable')
      else {
        const finished = await original?.finish().catch((error: unknown) => error)
        expect(finished).to.have.property('slug', 'evidence-unavailable')
      }
      await recorder.conclude(rid, { ...support.ANSWERED, result: 'failed' })
      await recorder.idle()
      expect(log.payloads().at(-1)).to.include({ rid, outcome: 'failed' })
      expect(alarms.length).to.equal(failsAtWrite ? 1 : 0)
    })
  }

  it('are not taken without a custodian', async () => {
    await recorder.close()
    await open()
    expect(() => recorder.body(support.newRid(), 'request', CUSTODY))
      .to.throw(Problem, 'no custodian')
      .with.property('slug', 'evidence-unavailable')
  })
})

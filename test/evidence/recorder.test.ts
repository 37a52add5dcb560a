import { expect } from 'chai'
import { Problem } from '../../base/problem.ts'
import { derivedSecrets, openClaim } from '../../evidence/commitment.ts'
import { openRecorder, type OpenRecorder } from '../../evidence/recorder.ts'
import type { Persist } from '../../evidence/record.ts'
import { readRecord, recordDigest } from '../../evidence/seal.ts'
import { MemoryFiles, type Fault } from './journal/faults.ts'
import {
  ANSWERED,
  COMMITMENT_KEY,
  TestLog,
  intentOf,
  newRid,
  recorderOptions,
  settableClock,
  temporaryFolder,
  testIdentity,
} from './support.ts'
import { type PersistShelved, readShelved } from '../../evidence/shelf.ts'
import { openSealIdentity } from '../../evidence/x509-identity.ts'

const SECRET_VALUE = '张三丰 "13800138000"'

/** A recorder over a file system in memory; each call is a restart. */
function open(memory: MemoryFiles, log: TestLog, more = {}): Promise<OpenRecorder> {
  const { epoch } = memory
  const persist: Persist = (records) =>
    memory.epoch === epoch ? log.persist(records) : new Promise(() => undefined)
  const options = { ...recorderOptions('memory', persist), files: memory.files(), ...more }
  return openRecorder(options)
}

async function exchange(recorder: OpenRecorder, rid = newRid()): Promise<string> {
  await recorder.intend(intentOf(rid))
  await recorder.conclude(rid, ANSWERED)
  return rid
}

const problemOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('recorder', () => {
  it('seals one record per exchange, with both directions and the four legal times', async () => {
    const log = new TestLog()
    const recorder = await open(new MemoryFiles(), log)
    const rid = newRid()
    const claims = [{ name: 'f:$.mobile', json: '"13800138000"' }]
    const intent = intentOf(rid, claims)
    await recorder.intend(intent)
    const response = { ...intent.request, claims: [{ name: 'f:$.mobile', json: '2' }] }
    await recorder.conclude(rid, { ...ANSWERED, response })
    await recorder.idle()
    const [payload] = log.payloads()
    const { _sd, ...rest } = payload ?? { _sd: [] }
    expect(rest).to.deep.include({
      v: 1,
      kind: 'exchange',
      rid,
      instance: recorder.instance,
      seq: 2,
      prev: recordDigest(log.records.get(1)?.jws ?? ''),
      outcome: 'answered',
      status: 200,
      times: {
        received: '2023-11-14T22:13:20.123456Z',
        sent: '2023-11-14T22:13:20.200000Z',
        responseReceived: '2023-11-14T22:13:20.300000Z',
        answered: '2023-11-14T22:13:20.400000Z',
      },
      org: 'Test Bureau',
      _sd_alg: 'sha-256',
    })
    const secret = derivedSecrets(COMMITMENT_KEY).secretOf(rid)
    expect(_sd).to.have.length(8)
    expect(openClaim(secret, _sd, 'f:$.mobile', '"13800138000"')).to.be.a('string')
    expect(openClaim(secret, _sd, 'f:$.mobile#2', '2')).to.be.a('string')
    expect(recorder.backlog()).to.equal(0)
    await recorder.close()
  })

  it('chains refusals and other events with the exchanges', async () => {
    const log = new TestLog()
    const recorder = await open(new MemoryFiles(), log)
    await exchange(recorder)
    await recorder.refuse({
      rid: newRid(),
      receivedUs: 1n,
      answeredUs: 2n,
      problem: 'route-unknown',
      status: 404,
      claims: [],
    })
    const rid = await recorder.note('policy', { links: { a: 'b' } })
    await recorder.idle()
    log.check()
    expect(log.payloads().map(({ kind }) => kind)).to.deep.equal(['exchange', 'refusal', 'policy'])
    expect(log.payloads()[2]).to.deep.include({ rid, links: { a: 'b' } })
    expect(recorder.head().seq).to.equal(4)
    await recorder.close()
  })

  it('seals a hundred exchanges at once without hole or double', async () => {
    const log = new TestLog()
    const recorder = await open(new MemoryFiles(), log, { segmentBytesMax: 5000 })
    const rids = await Promise.all(Array.from({ length: 100 }, () => exchange(recorder)))
    await recorder.idle()
    log.check()
    expect(log.known, 'all but the key').to.equal(100)
    expect(log.rids().sort()).to.deep.equal(rids.sort())
    await recorder.close()
  })

  it('removes the segments whose records are in the log, and knows the chain head without them', async () => {
    const log = new TestLog()
    const memory = new MemoryFiles()
    let recorder = await open(memory, log, { segmentBytesMax: 3000 })
    for (let count = 0; count < 10; count++) await exchange(recorder)
    await recorder.idle()
    await recorder.close()
    expect(memory.names().length).to.equal(1)
    const head = recorder.head()
    memory.crash('power')
    recorder = await open(memory, log)
    expect(recorder.head()).to.deep.equal(head)
    await exchange(recorder)
    await recorder.idle()
    log.check()
    await recorder.close()
  })

  it('hands records over again, with the same bytes, until the log takes them', async () => {
    const log = new TestLog()
    log.failures = 2
    const recorder = await open(new MemoryFiles(), log)
    const rid = await exchange(recorder)
    await recorder.idle()
    expect(log.rids()).to.deep.equal([rid])
    await recorder.close()
  })

  it('keeps what the log did not take for the next start', async () => {
    const log = new TestLog()
    const memory = new MemoryFiles()
    log.failures = 1000
    const first = await open(memory, log)
    const rid = await exchange(first)
    await first.close()
    const seen: string[] = []
    const persist: PersistShelved = async (records) =>
      void seen.push(...records.map((each) => readShelved(each).jws))
    const second = await open(memory, log, { persist })
    expect(second.recovered).to.deep.equal({ unknown: 0, sealed: 0, resent: 2, tornBytes: 0 })
    await second.idle()
    expect(seen.map((jws) => readRecord(jws).payload.rid).slice(1)).to.deep.equal([rid])
    await second.close()
  })

  it('seals an exchange whose outcome nobody knows as `unknown`', async () => {
    const log = new TestLog()
    const memory = new MemoryFiles()
    const first = await open(memory, log)
    const rid = newRid()
    await first.intend(intentOf(rid))
    memory.crash('power')
    const second = await open(memory, log)
    expect(second.recovered).to.include({ unknown: 1, sealed: 1 })
    await second.idle()
    expect(log.payloads()).to.have.length(1)
    expect(log.payloads()[0]).to.deep.include({ rid, outcome: 'unknown', caller: intentOf(rid).caller }) // prettier-ignore
    await second.close()
  })

  it('refuses exchanges when the log is too far behind, and accepts them again later', async () => {
    const log = new TestLog()
    const recorder = await open(new MemoryFiles(), log, { backlogMax: 2 })
    const [a, b] = [newRid(), newRid()]
    await Promise.all([recorder.intend(intentOf(a)), recorder.intend(intentOf(b))])
    const problem = await problemOf(recorder.intend(intentOf(newRid())))
    expect(problem).to.be.instanceOf(Problem).with.property('slug', 'evidence-unavailable')
    expect((problem as Problem).message).to.equal('2 records wait for the log')
    await Promise.all([recorder.conclude(a, ANSWERED), recorder.conclude(b, ANSWERED)])
    await recorder.idle()
    await exchange(recorder)
    await recorder.close()
  })

  it('announces each seal key before it seals with it, and retires the one before', async () => {
    const folder = temporaryFolder()
    const log = new TestLog()
    const memory = new MemoryFiles()
    const clock = settableClock()
    const hours = { organization: 'Test', instance: 'i', clock, hours: 24 }
    const more = { clock, identity: () => openSealIdentity(folder.path, hours) }
    try {
      let recorder = await open(memory, log, more)
      await exchange(recorder)
      await recorder.idle()
      clock.advance(20n * 3_600_000_000n) // Past `renewAt`: the next record asks for the next key.
      await exchange(recorder)
      await recorder.idle()
      const first = log.all()[0]?.['activated']
      while (recorder.head().key === first) {
        await exchange(recorder)
        await recorder.idle()
      }
      await recorder.close()
      memory.crash('power')
      recorder = await open(memory, log, more)
      await exchange(recorder)
      await recorder.idle()
      await recorder.close()
    } finally {
      folder.remove()
    }
    log.check()
    const keys = log.all().filter(({ kind }) => kind === 'key')
    expect(keys.map(({ seq }) => seq).length).to.equal(2)
    expect(keys[0]).to.include({ seq: 1 }).and.not.to.have.property('retired')
    const [before, after] = keys.map((payload) => payload['activated'])
    expect(keys[1]?.['retired']).to.deep.equal({ key: before, lastSeq: (keys[1]?.seq ?? 0) - 1 })
    for (const { seq, jws } of log.records.values()) {
      const { header } = readRecord(jws)
      expect(header['x5t#S256']).to.equal(seq < (keys[1]?.seq ?? 0) ? before : after)
    }
    expect(keys[1]?.['certificates']).to.have.length(3)
  })

  it('accepts nothing once the seal certificate has ended', async () => {
    const clock = settableClock()
    const identity = async () => ({ ...(await testIdentity()), notAfter: new Date(Date.now() + 1000) }) // prettier-ignore
    const recorder = await open(new MemoryFiles(), new TestLog(), { clock, identity })
    await exchange(recorder)
    clock.advance(1_000_000n)
    expect(await problemOf(recorder.intend(intentOf(newRid())))).to.have.property('slug', 'key-unusable') // prettier-ignore
    await recorder.close()
  })

  it('stops when the wall clock was set, after a record that says so', async () => {
    for (const jump of [-3_600_000_000n, 3_600_000_000n]) {
      const clock = settableClock()
      const log = new TestLog()
      const recorder = await open(new MemoryFiles(), log, { clock })
      const rid = newRid()
      await recorder.intend(intentOf(rid))
      clock.jump(jump)
      const problem = await problemOf(recorder.intend(intentOf(newRid())))
      expect(problem).to.be.instanceOf(Problem).with.property('slug', 'evidence-unavailable')
      expect((problem as Problem).message).to.include('wall clock')
      expect(recorder.failure()).to.equal(problem)
      await recorder.conclude(rid, ANSWERED)
      await recorder.idle()
      log.check()
      const jumps = log.payloads().filter(({ kind }) => kind === 'clock')
      expect(jumps).to.have.length(1)
      expect(jumps[0]).to.include({ event: 'jumped' })
      const [{ clock: state } = { clock: undefined }] = jumps
      const { driftUs } = state as unknown as { driftUs: number }
      expect(Math.round(driftUs / 1e6)).to.equal(Number(jump / 1_000_000n))
      await recorder.close()
    }
  })

  it('refuses to begin an exchange twice', async () => {
    const log = new TestLog()
    const recorder = await open(new MemoryFiles(), log)
    const rid = newRid()
    await recorder.intend(intentOf(rid))
    expect(await problemOf(recorder.intend(intentOf(rid)))).to.have.property('slug', 'internal')
    await recorder.conclude(rid, ANSWERED)
    expect(await problemOf(recorder.conclude(rid, ANSWERED))).to.have.property('slug', 'internal')
    await recorder.idle()
    expect(log.rids()).to.deep.equal([rid])
    await recorder.close()
  })

  it('refuses what could never be sealed before it is in the journal', async () => {
    const memory = new MemoryFiles()
    const log = new TestLog()
    const recorder = await open(memory, log)
    const bytes = memory.bytesOf('0000000001.seg').length
    const intent = { ...intentOf(newRid()), purpose: 'lone \ud800 surrogate' }
    expect(await problemOf(recorder.intend(intent))).to.have.property('slug', 'internal')
    expect(await problemOf(recorder.note('policy', { size: Number.NaN }))).to.have.property('slug', 'internal') // prettier-ignore
    expect(memory.bytesOf('0000000001.seg').length).to.equal(bytes)
    expect(recorder.backlog()).to.equal(0)
    await exchange(recorder)
    await recorder.idle()
    await recorder.close()
  })

  it('refuses everything after close, and an outcome without an exchange', async () => {
    const recorder = await open(new MemoryFiles(), new TestLog())
    expect(await problemOf(recorder.conclude(newRid(), ANSWERED))).to.have.property('slug', 'internal') // prettier-ignore
    await recorder.close()
    expect(await problemOf(recorder.intend(intentOf(newRid())))).to.have.property('slug', 'evidence-unavailable') // prettier-ignore
    await recorder.close()
  })

  it('leaves no value in any byte of the journal, in any spelling', async () => {
    const memory = new MemoryFiles()
    const log = new TestLog()
    log.failures = 1000
    const recorder = await open(memory, log)
    const rid = newRid()
    const claims = [{ name: 'f:$.applicant', json: JSON.stringify(SECRET_VALUE) }]
    await recorder.intend(intentOf(rid, claims))
    await recorder.conclude(rid, { ...ANSWERED, response: { ...intentOf(rid).request, claims } })
    await recorder.refuse({ rid: newRid(), receivedUs: 1n, answeredUs: 2n, problem: 'x', status: 400, claims }) // prettier-ignore
    await recorder.note('deposit', {}, claims)
    await recorder.close()
    const secret = derivedSecrets(COMMITMENT_KEY).secretOf(rid)
    const journal = Buffer.concat(memory.names().map((name) => memory.bytesOf(name)))
    const texts = [journal.toString('utf8'), ...decodedSegments(journal.toString('latin1'))]
    const escaped = [...'张三丰'].map((c) => '\\u' + c.charCodeAt(0).toString(16)).join('')
    const planted = ['13800138000', '张三丰', encodeURIComponent('张三丰'), escaped, secret.toString('base64url'), secret.toString('hex')] // prettier-ignore
    for (const value of planted) {
      for (const text of texts) {
        expect(text.includes(value), value).to.equal(false)
        for (const offset of [0, 1, 2]) {
          const inner = Buffer.from('x'.repeat(offset) + value).toString('base64')
          const core = inner.slice(4, -4) // Whatever stands around it.
          expect(text.includes(core), `${value} in base64`).to.equal(false)
        }
      }
    }
  })
})

/** The JSON inside the journal's JWS. */
const decodedSegments = (text: string) =>
  (text.match(/[A-Za-z0-9_-]{40,}/g) ?? []).map((part) => Buffer.from(part, 'base64url').toString())

describe('recorder under faults', () => {
  const CALLS: readonly Fault['call'][] = ['write', 'sync', 'create', 'syncFolder', 'remove']
  for (const call of CALLS) {
    for (const how of ['lost', 'applied-then-lost', 'torn'] as const) {
      if (how === 'torn' && call !== 'write') continue
      it(`keeps every accepted exchange when ${call} is ${how}, at each step, killed or cut off`, async () => {
        for (const crash of ['kill', 'power'] as const) {
          for (let at = 1; at <= 14; at++) await runWithFault({ call, how, at }, crash)
        }
      })
    }
  }

  it('survives a fault in each recovery of a recovery', async () => {
    for (let at = 1; at <= 6; at++) {
      const memory = new MemoryFiles()
      const log = new TestLog()
      const recorder = await open(memory, log)
      const rids = [await exchange(recorder), newRid(), newRid()]
      for (const rid of rids.slice(1)) await recorder.intend(intentOf(rid))
      memory.crash('power')
      for (const call of ['write', 'sync', 'create', 'syncFolder'] as const) {
        memory.fault = { call, at, how: 'applied-then-lost' }
        const again = await problemOf(open(memory, log))
        if (!(again instanceof Error)) await problemOf((again as OpenRecorder | undefined)?.idle() ?? Promise.resolve()) // prettier-ignore
        memory.crash('kill')
      }
      await checkRestart(memory, log, rids)
    }
  })
})

/** Works until the fault hits, crashes, restarts well, and checks what must be there. */
async function runWithFault(fault: Fault, crash: 'kill' | 'power'): Promise<void> {
  const memory = new MemoryFiles()
  const log = new TestLog()
  const accepted: string[] = []
  memory.fault = fault
  const recorder = await open(memory, log, { segmentBytesMax: 4000 }).catch(() => undefined)
  for (let count = 0; recorder !== undefined && count < 6; count++) {
    const rid = newRid()
    if ((await problemOf(recorder.intend(intentOf(rid)))) !== undefined) break
    accepted.push(rid)
    if (count % 3 !== 0) await problemOf(recorder.conclude(rid, ANSWERED))
    await new Promise((resolve) => setImmediate(resolve))
  }
  memory.crash(crash)
  await checkRestart(memory, log, accepted)
}

async function checkRestart(memory: MemoryFiles, log: TestLog, accepted: string[]): Promise<void> {
  const recorder = await open(memory, log)
  await recorder.idle()
  log.check()
  const rids = log.rids()
  for (const rid of accepted) expect(rids, 'an accepted exchange').to.include(rid)
  await exchange(recorder)
  await recorder.idle()
  log.check()
  await recorder.close()
}

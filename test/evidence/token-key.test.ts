import { expect } from 'chai'
import { type KeyObject, sign as signBytes, X509Certificate } from 'node:crypto'
import { Problem } from '../../base/problem.ts'
import { openRecorder, type OpenRecorder } from '../../evidence/recorder.ts'
import { MemoryFiles } from './journal/faults.ts'
import { ANSWERED, intentOf, newRid, recorderOptions, TestLog, testIdentity } from './support.ts'

describe('a recorder whose key stops signing', () => {
  const open = (memory: MemoryFiles, log: TestLog, more: object): Promise<OpenRecorder> =>
    openRecorder({ ...recorderOptions('memory', log.persist), files: memory.files(), ...more })
  const exchange = async (recorder: OpenRecorder): Promise<string> => {
    const rid = newRid()
    await recorder.intend(intentOf(rid))
    await recorder.conclude(rid, ANSWERED)
    return rid
  }
  const problemOf = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: unknown) => error,
    )

  /** A token key by node:crypto that fails while `away` is set. */
  async function token() {
    const key = await testIdentity()
    const { certificateDer, privateKey } = key
    const state = { away: false }
    const spki = new X509Certificate(certificateDer).publicKey.export({
      format: 'der',
      type: 'spki',
    })
    const sign = (bytes: Uint8Array): Buffer => {
      if (state.away) throw new Problem('key-unusable', 'the token does not answer')
      const options = { key: privateKey as KeyObject, dsaEncoding: 'ieee-p1363' } as const
      return signBytes('sha256', bytes, options)
    }
    const identity = async () => ({ ...key, privateKey: { spki, sign } })
    return { state, identity }
  }

  it('refuses what is new, and seals what it had accepted once the token is back', async () => {
    const { state, identity } = await token()
    const log = new TestLog()
    const alarms: string[] = []
    const alarm = (message: string): void => void alarms.push(message)
    const recorder = await open(new MemoryFiles(), log, { identity, alarm })
    state.away = true
    const first = await exchange(recorder)
    while (recorder.failure() === undefined) await new Promise(setImmediate)
    expect(recorder.failure()).to.have.property('slug', 'key-unusable')
    expect(await problemOf(exchange(recorder))).to.have.property('slug', 'key-unusable')
    expect(alarms[0]).to.match(/does not sign/)
    state.away = false
    await recorder.idle()
    const second = await exchange(recorder)
    await recorder.idle()
    log.check()
    expect(log.rids()).to.deep.equal([first, second])
    expect(log.all().map(({ kind }) => kind)).to.deep.equal(['key', 'exchange', 'exchange'])
    await recorder.close()
  })

  it('keeps what is unsealed for the next start, and does not start without the token', async () => {
    const { state, identity } = await token()
    const [memory, log] = [new MemoryFiles(), new TestLog()]
    const recorder = await open(memory, log, { identity })
    state.away = true
    const rid = await exchange(recorder)
    await recorder.close()
    expect(log.rids()).to.deep.equal([])
    memory.crash('kill')
    expect(await problemOf(open(memory, log, { identity }))).to.have.property(
      'slug',
      'key-unusable',
    )
    state.away = false
    const again = await open(memory, log, { identity })
    await again.idle()
    log.check()
    expect(log.rids()).to.deep.equal([rid])
    await again.close()
  })
})

import { expect } from 'chai'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Problem } from '../../base/problem.ts'
import type { LogPlaces } from '../../evidence/log/open.ts'
import { openRecorder } from '../../evidence/recorder.ts'
import { startThread } from '../../workers/thread.ts'
import type { WitnessStatus } from '../../workers/witness.ts'
import { ANSWERED, intentOf, newRid, recorderOptions } from '../evidence/support.ts'
import { checkLog } from '../log/check.ts'
import { recordMaker } from '../log/records.ts'
import type { ThreadFault } from './log-thread.ts'

type End = NonNullable<ThreadFault['end']>

// prettier-ignore
const ENDS: readonly Omit<End, 'call'>[] = [
  { how: 'exits',              after: false },
  { how: 'exits',              after: true },
  { how: 'throws',             after: false },
  { how: 'throws',             after: true },
  { how: 'has no memory left', after: false },
  { how: 'has no memory left', after: true },
]

describe("the log's thread", function () {
  this.timeout(30_000)
  let places: LogPlaces
  let alarms: string[]
  let status: WitnessStatus | undefined

  beforeEach(() => {
    const data = mkdtempSync(join(tmpdir(), 'sealgate-thread-'))
    places = { data, log: join(data, 'log'), origin: 'log.test/evr', batchMs: 0 }
    alarms = []
    status = undefined
  })
  afterEach(() => rmSync(places.data, { recursive: true }))

  /** @param faults of the first thread, the second one, …; the later ones have none. */
  const open = (...faults: Omit<ThreadFault, 'places'>[]) =>
    startThread({
      start: () => {
        const workerData: ThreadFault = { places, ...faults.shift() }
        const resourceLimits = { maxOldGenerationSizeMb: 48 }
        return new Worker(new URL('./log-thread.ts', import.meta.url), {
          workerData,
          resourceLimits,
        })
      },
      alarm: (message) => alarms.push(message),
      witnessed: (now) => {
        status = now
      },
    })
  const failureOf = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => undefined,
      (error: unknown) => error,
    )

  it('passes on what the log tells', async () => {
    const thread = await open()
    await thread.close()
    expect(alarms).to.deep.equal(['the thread is open'])
    expect(status).to.deep.equal({ size: 1, witnessed: 2, split: [] })
  })

  it('tells whoever starts it why it cannot', async () => {
    const error = await failureOf(open({ closed: true }))
    expect(error).to.be.instanceOf(Problem).with.property('slug', 'key-unusable')
    expect(String(error)).to.include('the key is not there')
  })

  it('ends only when everything that was handed in is in the log', async () => {
    const thread = await open()
    const maker = recordMaker(31)
    const calls = Array.from({ length: 20 }, () => thread.persist(maker.many(100)))
    await Promise.all([thread.close(), ...calls])
    expect((await checkLog(places)).size).to.equal(2000)
  })

  for (const { how, after } of ENDS) {
    const when = after ? 'after the log took the records' : 'before the log takes the records'
    it(`starts again when it ${how}, ${when}`, async () => {
      const thread = await open({ end: { how, after, call: 2 } })
      const maker = recordMaker(32)
      await thread.persist(maker.many(10))
      const second = maker.many(10)
      const [error, other] = await Promise.all(
        [second, maker.many(10)].map((records) => failureOf(thread.persist(records))),
      )
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'log-unavailable')
      if (other !== undefined) expect(other).to.be.instanceOf(Problem)
      let [tries, refused] = [0, await failureOf(thread.persist(second))]
      for (; refused !== undefined && tries < 200; tries += 1) {
        await sleep(20)
        refused = await failureOf(thread.persist(second))
      }
      expect(refused).to.equal(undefined)
      expect(alarms.join('\n')).to.include("the log's thread has ended; it starts again in 100 ms")
      await thread.close()
      const { size } = await checkLog(places)
      expect(size).to.be.within(20, 30)
    })
  }

  it('goes on trying when it cannot start again', async () => {
    const thread = await open(
      { end: { how: 'exits', after: false, call: 1 } },
      { closed: true },
      { closed: true },
    )
    const records = recordMaker(33).many(5)
    while ((await failureOf(thread.persist(records))) !== undefined) await sleep(20)
    expect(alarms.filter((text) => text.includes('starts again in'))).to.deep.equal([
      "the log's thread has ended; it starts again in 100 ms",
      "the log's thread has ended; it starts again in 200 ms",
      "the log's thread has ended; it starts again in 400 ms",
    ])
    await thread.close()
    expect((await checkLog(places)).size).to.equal(5)
  })

  it('can be closed while it waits to start again', async () => {
    const thread = await open({ end: { how: 'exits', after: false, call: 1 } }, { closed: true })
    await failureOf(thread.persist(recordMaker(34).many(1)))
    await thread.close()
    await sleep(250)
    expect(alarms.filter((text) => text === 'the thread is open')).to.have.length(1)
  })

  it('loses and doubles nothing of a recorder, however often it ends', async () => {
    const faults = [1, 2, 3, 1].map((call, at) => ({
      end: { how: at % 2 === 0 ? 'exits' : 'throws', after: at % 2 === 1, call } as const,
    }))
    const thread = await open(...faults)
    const recorder = await openRecorder({
      ...recorderOptions(join(places.data, 'journal'), thread.persist),
      persist: thread.persist,
    })
    const exchange = async () => {
      const rid = newRid()
      await recorder.intend(intentOf(rid))
      await recorder.conclude(rid, ANSWERED)
    }
    const opened = () => alarms.filter((text) => text === 'the thread is open').length
    let rounds = 0
    for (; opened() < 5 && rounds < 500; rounds += 1) {
      await Promise.all(Array.from({ length: 20 }, exchange))
      await sleep(10)
    }
    await recorder.idle()
    await recorder.close()
    await thread.close()
    expect(opened()).to.equal(5)
    // With the record that announces the key; `checkLog` refuses doubled ones and holes.
    expect((await checkLog(places)).size).to.equal(1 + 20 * rounds)
  })
})

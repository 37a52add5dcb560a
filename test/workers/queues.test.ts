import { expect } from 'chai'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Problem } from '../../base/problem.ts'
import { type LogPlaces, openLog } from '../../evidence/log/open.ts'
import { createEmbeddedPersist, type Persister } from '../../workers/embedded.ts'
import { createRedisPersist } from '../../workers/redis.ts'
import { startThread } from '../../workers/thread.ts'
import { startPersistWorker } from '../../workers/worker.ts'
import { checkLog } from '../log/check.ts'
import { recordMaker } from '../log/records.ts'
import { REDIS_PROBE, type RedisServer, startRedis } from './redis-server.ts'
import { describeForeign } from '../foreign/tool.ts'

/** All queues under one contract: what the gateway hands in is in the log once, or it is told. */
interface Setup {
  readonly persister: Persister
  stop(): Promise<void>
}

const alarms: string[] = []
const alarm = (message: string): void => {
  alarms.push(message)
}

async function embedded(places: LogPlaces): Promise<Setup> {
  const persister = createEmbeddedPersist(() => openLog(places))
  return { persister, stop: () => persister.close() }
}

async function threaded(places: LogPlaces): Promise<Setup> {
  const persister = await startThread({
    start: () =>
      new Worker(new URL('./log-thread.ts', import.meta.url), { workerData: { places } }),
    alarm,
    witnessed: () => undefined,
  })
  return { persister, stop: () => persister.close() }
}

function overRedis(redis: () => RedisServer): (places: LogPlaces) => Promise<Setup> {
  return async (places) => {
    const inner = createEmbeddedPersist(() => openLog(places))
    const worker = await startPersistWorker(redis().url, inner.persist, { alarm, lockMs: 2_000 })
    const persister = await createRedisPersist(redis().url, { alarm, timeoutMs: 15_000 })
    const stop = async (): Promise<void> => {
      await persister.close()
      await worker.close()
      await inner.close()
    }
    return { persister, stop }
  }
}

/** What every queue must do; the same for both. */
function describeQueue(name: string, start: (places: LogPlaces) => Promise<Setup>): void {
  describe(`queue: ${name}`, () => {
    let places: LogPlaces
    let setup: Setup
    beforeEach(async () => {
      const data = mkdtempSync(join(tmpdir(), 'sealgate-queue-'))
      places = { data, log: join(data, 'log'), origin: 'log.test/evr', batchMs: 0 }
      setup = await start(places)
    })
    afterEach(async () => {
      await setup.stop()
      rmSync(places.data, { recursive: true })
    })

    it('resolves when the records are in the log', async () => {
      await setup.persister.persist(recordMaker(11).many(40))
      expect((await checkLog(places)).size).to.equal(40)
    })

    it('keeps each record once, however often and in whatever batches it comes', async () => {
      const records = recordMaker(12).many(30)
      const { persist } = setup.persister
      await Promise.all([persist(records), persist(records), persist(records.slice(10))])
      await persist(records.slice(0, 25))
      expect((await checkLog(places)).size).to.equal(30)
    })

    it('accepts an empty batch', async () => {
      await setup.persister.persist([])
    })

    it('reports a record that contradicts the log, and takes the ones after it', async () => {
      const [honest, forger] = [recordMaker(13), recordMaker(13)]
      const { persist } = setup.persister
      await persist(honest.many(2))
      const error = await persist([forger.next({ route: 'GET /other' }), honest.next()]).then(
        () => expect.fail('expected a rejection'),
        (cause: unknown) => cause,
      )
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'job-invalid')
      expect(String(error)).to.include('has other bytes')
      await persist(honest.many(1))
      expect((await checkLog(places)).size).to.equal(4)
    })
  })
}

describeQueue('embedded', embedded)
describeQueue('embedded, in a thread', threaded)

describeForeign('over a real Redis', REDIS_PROBE, () => {
  let redis: RedisServer
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis.stop())

  describeQueue(
    'redis',
    overRedis(() => redis),
  )
  describe('queue: redis, faults', () => {
    it('loses nothing and doubles nothing when Redis dies and comes back', async function () {
      this.timeout(30_000)
      const data = mkdtempSync(join(tmpdir(), 'sealgate-queue-'))
      const places = { data, log: join(data, 'log'), origin: 'log.test/evr', batchMs: 0 }
      const own = await startRedis()
      const setup = await overRedis(() => own)(places)
      const maker = recordMaker(14)
      await setup.persister.persist(maker.many(10))
      const during = Array.from({ length: 5 }, () => setup.persister.persist(maker.many(10)))
      await own.kill()
      await own.restart()
      await Promise.all(during)
      await setup.persister.persist(maker.many(10))
      expect((await checkLog(places)).size).to.equal(70)
      await setup.stop()
      await own.stop()
      rmSync(data, { recursive: true })
    })

    it('answers with a problem when Redis is not there at the start', async () => {
      const error = await createRedisPersist('redis://127.0.0.1:1', { alarm }).then(
        () => expect.fail('expected a rejection'),
        (cause: unknown) => cause,
      )
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'log-unavailable')
    })
  })
})

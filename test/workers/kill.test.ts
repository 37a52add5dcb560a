import { expect } from 'chai'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type LogPlaces, openLog } from '../../evidence/log/open.ts'
import { createRedisPersist } from '../../workers/redis.ts'
import { checkLog } from '../log/check.ts'
import { recordMaker } from '../log/records.ts'
import { describeForeign } from '../foreign/tool.ts'
import { REDIS_PROBE, startRedis } from './redis-server.ts'

/** Milliseconds of life before each kill; printed by the test's name when one of them matters. */
const LIVES_MS = [40, 65, 90, 130, 180, 250]

function start(script: string, ...args: string[]): ChildProcess {
  const path = join(import.meta.dirname, script)
  return spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

describe('kill -9', () => {
  let places: LogPlaces
  beforeEach(() => {
    const data = mkdtempSync(join(tmpdir(), 'sealgate-kill-'))
    places = { data, log: join(data, 'log'), origin: 'log.test/evr', batchMs: 0 }
  })
  afterEach(() => rmSync(places.data, { recursive: true }))

  it('of an appending process loses nothing that was acknowledged', async () => {
    let acknowledged = 0
    for (const [round, lifeMs] of LIVES_MS.entries()) {
      const child = start('appender-process.ts', places.data, String(60 + round))
      let printed = ''
      child.stdout?.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
      })
      await once(child, 'spawn')
      while (printed === '') await setTimeout(5)
      await setTimeout(lifeMs)
      await kill(child)
      acknowledged += Number(printed.trimEnd().split('\n').at(-1))
    }
    // The last batch may be signed in the lock store only: the next start publishes it.
    const child = start('appender-process.ts', places.data, '59')
    await once(child.stdout ?? child, 'data')
    await kill(child)
    await (await openLog(places)).close()
    expect((await checkLog(places)).size).to.be.greaterThan(acknowledged)
  })

  describeForeign('over a real Redis', REDIS_PROBE, () => {
    it('of a worker with a batch in hand: the next one takes it, each record is in once', async () => {
      const redis = await startRedis()
      const alarm = (): void => undefined
      let worker = start('worker-process.ts', redis.url, places.data)
      await once(worker.stdout ?? worker, 'data')
      const { persist, close } = await createRedisPersist(redis.url, { alarm, timeoutMs: 15_000 })
      const maker = recordMaker(70)
      const batches = Array.from({ length: 8 }, () => persist(maker.many(300)))
      await Promise.race(batches)
      await kill(worker)
      worker = start('worker-process.ts', redis.url, places.data)
      await Promise.all(batches)
      await kill(worker)
      await close()
      await redis.stop()
      expect((await checkLog(places)).size).to.equal(2400)
    })
  })
})

/** Where sealed records go: into the log with all that is done to it, or to the queue. @module */
import { systemClock } from '../base/clock.ts'
import { openLine } from '../evidence/log/open-line.ts'
import { type Persister, createEmbeddedPersist } from '../workers/embedded.ts'
import type { ThreadEvents } from '../workers/thread.ts'
import type { Config } from './config.ts'
import { logPlaces } from './places.ts'
import { startTimestamps } from './timestamps.ts'
import { startWitnesses } from './witnesses.ts'

/** What a gateway's records go to. @throws {Problem} when it cannot be opened. */
export async function openSink(config: Config, events: ThreadEvents): Promise<Persister> {
  if (config.queue.kind === 'embedded') return openLogSink(config, events)
  // Only who has a queue loads what speaks to it.
  const { createRedisPersist } = await import('../workers/redis.ts')
  return createRedisPersist(config.queue.url, events)
}

/** The log, its time stamps and its witnesses: one process of an installation has them. */
export async function openLogSink(config: Config, events: ThreadEvents): Promise<Persister> {
  const places = logPlaces(config)
  const persister = createEmbeddedPersist(() => openLine(places))
  const stamps = await startTimestamps(config, systemClock, events.alarm)
  const witnessing = startWitnesses(config, events)
  return {
    persist: persister.persist,
    close: async () => {
      await witnessing?.close()
      await stamps.close()
      await persister.close()
    },
  }
}

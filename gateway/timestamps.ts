/** Runs the time stamping of the log that a configuration names. @module */
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { parseCheckpoint } from '../evidence/log/checkpoint.ts'
import { CHECKPOINT_KEY } from '../evidence/log/reader.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import { openTimestampSources } from '../evidence/timestamp/sources.ts'
import { startTimestampWorker } from '../workers/timestamp.ts'
import type { Config } from './config.ts'
import { logPlaces } from './places.ts'

/** Stamps checkpoints until closed; whoever appends to the log runs it. @throws {Problem} `key-unusable` */
export async function startTimestamps(
  config: Config,
  clock: Clock,
  alarm: (message: string, error?: unknown) => void,
): Promise<{ close(): Promise<void> }> {
  const store = openFolderStore(logPlaces(config).log)
  const sources = await openTimestampSources(config.timestamp, {
    keys: join(config.data, 'keys'),
    trust: join(config.data, 'trust'),
    organization: config.operator.name,
    clock,
  })
  return startTimestampWorker({
    store,
    sources,
    clock,
    alarm,
    checkpoint: async () => {
      const bytes = await store.get(CHECKPOINT_KEY)
      return bytes && { size: parseCheckpoint(bytes.toString()).size, bytes }
    },
  })
}

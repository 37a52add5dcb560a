/** Opens the log and its stores in the places that the configuration names. @module */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { openSqliteIndex } from '../index/sqlite.ts'
import { openLogKeys } from './keys.ts'
import { openLockStore } from './lock.ts'
import { type Log, poolAppends } from './log.ts'
import { openSequencer } from './sequencer.ts'
import { openFolderStore } from './store.ts'

/** Where things are, as absolute folders. */
export interface LogPlaces {
  /** The log's files: what a mirror may copy. */
  readonly log: string
  /** The gateway's data folder: lock store, index and keys. */
  readonly data: string
  /** The log's name in its checkpoints, without scheme: `evidence.example.com/evr/2026h2`. */
  readonly origin: string
  readonly clock?: Clock
  /** Leaves carry SM3 digests too. */
  readonly sm3?: boolean
  /** Milliseconds between the checkpoints of small batches. */
  readonly batchMs?: number
}

/**
 * Opens the log for appending; makes it when there is none.
 *
 * @throws {Problem} `log-inconsistent` when log and lock store contradict each other,
 *   `log-unavailable` when the clock is behind or a key cannot be used.
 */
export async function openLog(places: LogPlaces): Promise<Log> {
  const { log, data, origin, clock = systemClock } = places
  mkdirSync(data, { recursive: true, mode: 0o700 })
  mkdirSync(log, { recursive: true })
  const signers = openLogKeys(join(data, 'keys'), origin)
  const lock = openLockStore(join(data, 'lock.sqlite'))
  const index = openSqliteIndex(indexPath(data))
  const close = async (): Promise<void> => {
    await index.close()
    lock.close()
  }
  try {
    const store = openFolderStore(log)
    const sequencer = await openSequencer({ store, lock, index, origin, signers, clock })
    return poolAppends(sequencer, close, places.batchMs)
  } catch (cause) {
    await close()
    if (cause instanceof Problem) throw cause
    throw new Problem('log-unavailable', 'the log could not be opened', { cause })
  }
}

/** The index file in a data folder. */
export function indexPath(data: string): string {
  return join(data, 'index.sqlite')
}

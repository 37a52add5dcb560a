/** Opens the line of logs for appending, and turns to the next log when a half-year is over. @module */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { lineIndex } from '../index/line.ts'
import type { EvidenceIndex } from '../index/index.ts'
import { openSqliteIndex } from '../index/sqlite.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { openLogKeys } from './keys.ts'
import { addName, logStore, readNames } from './line.ts'
import { compareNames, halfYear, logName, successorName } from './line-name.ts'
import { catchUp } from './load.ts'
import { type LockStore, openLockStore } from './lock.ts'
import { type Log, poolAppends } from './log.ts'
import { indexPath, type LogPlaces } from './open.ts'
import { CHECKPOINT_KEY, openReader } from './reader.ts'
import { openSequencer } from './sequencer.ts'
import { openFolderStore, type Store } from './store.ts'
import type { Turn } from './turn.ts'

interface LinePorts {
  readonly root: Store
  readonly lock: LockStore
  readonly index: EvidenceIndex
  readonly clock: Clock
  readonly keys: string
  /** The line's name; a log's is `<line>/<name>`. */
  readonly origin: string
  readonly batchMs: number | undefined
  readonly sm3: boolean
}

/** What a log in service is to who fills it. */
export type AppendOnly = Pick<Log, 'append' | 'close'>

/** The log that is being filled. */
interface Current {
  readonly name: string
  readonly log: Log
}

/**
 * Opens the newest log of the line; makes the first one when there is none. `places.log` is the
 * folder of the line, `places.origin` its name.
 *
 * @throws {Problem} as `openLog` does.
 */
export async function openLine(places: LogPlaces): Promise<AppendOnly> {
  const { log, data, origin, clock = systemClock, batchMs, sm3 = false } = places
  mkdirSync(data, { recursive: true, mode: 0o700 })
  mkdirSync(log, { recursive: true })
  const root = openFolderStore(log)
  const [keys, lock] = [join(data, 'keys'), openLockStore(join(data, 'lock.sqlite'))]
  const index = openSqliteIndex(indexPath(data))
  const ports = { root, lock, index, clock, keys, origin, batchMs, sm3 }
  const close = async (): Promise<void> => {
    await index.close()
    lock.close()
  }
  try {
    let current = openCurrent(ports)
    await current
    return {
      append: async (records) => {
        current = current.then((open) => turnWhenDue(ports, open))
        return (await current).log.append(records)
      },
      close: async () => {
        // A turn that failed has closed its log; the stores are still open.
        await current.then(
          ({ log: newest }) => newest.close(),
          () => undefined,
        )
        await close()
      },
    }
  } catch (cause) {
    await close()
    if (cause instanceof Problem) throw cause
    throw new Problem('log-unavailable', 'the log could not be opened', { cause })
  }
}

/**
 * Begins a successor of a log that cannot go on: its files were lost or restored from a backup. The
 * new log's first leaf fixes the newest checkpoint that was ever signed, whatever is left of it.
 *
 * @returns the successor's name.
 * @throws {Problem} `log-unavailable` when there is no log to follow.
 */
export async function succeed(places: LogPlaces): Promise<string> {
  const { log, data, origin, clock = systemClock } = places
  const root = openFolderStore(log)
  const lock = openLockStore(join(data, 'lock.sqlite'))
  const index = openSqliteIndex(indexPath(data))
  const keys = join(data, 'keys')
  try {
    const ports = { root, lock, index, clock, keys, origin, batchMs: 0, sm3: false }
    const last = (await namesOf(ports)).at(-1)
    if (last === undefined) throw new Problem('log-unavailable', 'there is no log here yet')
    const name = successorName(last)
    // What the index holds may be of the history that was lost.
    await index.clear()
    const { log: opened } = await open(ports, name, await turnFrom(ports, last, name))
    await opened.close()
    return name
  } finally {
    await index.close()
    lock.close()
  }
}

/** All logs that were ever begun: a crash may have come before the list was written. */
async function namesOf({ root, lock, origin }: LinePorts): Promise<string[]> {
  if ((await root.get(CHECKPOINT_KEY)) !== undefined) {
    throw new Problem('log-inconsistent', 'the folder of the logs is itself a log')
  }
  const begun = (await lock.origins())
    .filter((each) => each.startsWith(`${origin}/`))
    .map((each) => each.slice(origin.length + 1))
  return [...new Set([...(await readNames(root)), ...begun])].sort(compareNames)
}

async function openCurrent(ports: LinePorts): Promise<Current> {
  const names = await namesOf(ports)
  const last = names.at(-1)
  if (last === undefined) return open(ports, logName(ports.clock.wallUs()))
  const [before] = names.slice(-2, -1)
  const turn = before === undefined ? undefined : await turnFrom(ports, before, last)
  return turnWhenDue(ports, await open(ports, last, turn))
}

async function turnWhenDue(ports: LinePorts, current: Current): Promise<Current> {
  const name = logName(ports.clock.wallUs())
  // A clock that went back to an earlier half-year is refused by the log itself.
  if (name <= halfYear(current.name)) return current
  await current.log.close()
  return open(ports, name, await turnFrom(ports, current.name, name))
}

async function turnFrom(ports: LinePorts, before: string, name: string): Promise<Turn> {
  // Within one half-year a log is only followed when it cannot go on.
  const kind = halfYear(before) === halfYear(name) ? 'restore' : 'turn'
  return { kind, checkpoint: await newestSigned(ports, before) }
}

/** Of what the lock store and the log hold, the longer one: after a restore, either may be old. */
async function newestSigned({ root, lock, origin }: LinePorts, name: string): Promise<string> {
  const locked = (await lock.read(`${origin}/${name}`))?.checkpoint
  const published = (await logStore(root, name).get(CHECKPOINT_KEY))?.toString()
  const [first = '', second = first] = [locked, published].filter((text) => text !== undefined)
  if (first !== '')
    return parseCheckpoint(second).size > parseCheckpoint(first).size ? second : first
  throw new Problem('log-inconsistent', `log \`${name}\` has no checkpoint that could be followed`)
}

async function open(ports: LinePorts, name: string, turn?: Turn): Promise<Current> {
  const { root, lock, clock, keys, origin, batchMs, sm3 } = ports
  const full = `${origin}/${name}`
  const signers = openLogKeys(keys, full)
  const [store, index] = [logStore(root, name), await indexOf(ports, name)]
  const base = { store, lock, index, origin: full, signers, clock, sm3 }
  const sequencer = await openSequencer(turn === undefined ? base : { ...base, turn })
  // From here on readers know it; before, the lock does.
  await addName(root, name)
  return { name, log: poolAppends(sequencer, async () => undefined, batchMs) }
}

/** The index as the log of this name sees it, caught up with the logs before. */
async function indexOf({ root, index }: LinePorts, name: string): Promise<EvidenceIndex> {
  let offset = 0
  let refill = async (): Promise<void> => undefined
  for (const before of await readNames(root)) {
    if (compareNames(before, name) >= 0) break
    const reader = await openReader(logStore(root, before))
    const part = lineIndex(index, offset, refill)
    const fill = async (): Promise<void> => {
      await catchUp(part, reader)
    }
    const end = offset + reader.checkpoint.size
    // An index that is further on is judged by the log that it has reached.
    if ((await index.head()).size <= end) await fill()
    const earlier = refill
    refill = async () => {
      await earlier()
      await fill()
    }
    offset = end
  }
  return lineIndex(index, offset, refill)
}

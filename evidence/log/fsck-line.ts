/** Re-derives every log of a line, oldest first, and the turns between them. @module */
import { Problem } from '../../base/problem.ts'
import { chainGaps, newChains } from './chains.ts'
import { type FsckReport, fsck, type LineSoFar } from './fsck.ts'
import { keysOf } from './line-name.ts'
import { logStore, readNames } from './line.ts'
import { parseCheckpoint } from './checkpoint.ts'
import type { Verifier } from './note.ts'
import { openReader } from './reader.ts'
import type { Store } from './store.ts'

export interface FsckLineOptions {
  /** The line's store. */
  readonly root: Store
  /** The line's name. */
  readonly origin: string
  /** Keys named by the line; every one must have signed each log's checkpoint. */
  readonly keys: readonly Verifier[]
  /** Reads the lock store's checkpoint of a log. */
  readonly locked: (origin: string) => Promise<string | undefined>
  readonly progress: (log: string, done: number, total: number) => void
}

/** One log that is sound. */
export interface SoundLog extends FsckReport {
  readonly name: string
}

/**
 * Checks what `fsck` checks, with each instance's chain running through all logs, and that each log
 * begins by fixing the last checkpoint of the one before.
 *
 * @throws {Problem} `log-inconsistent` naming the log and its first contradiction.
 */
export async function fsckLine(options: FsckLineOptions): Promise<SoundLog[]> {
  const { root, origin, keys, locked, progress } = options
  const names = await readNames(root)
  if (names.length === 0) throw new Problem('log-unavailable', 'there is no log here yet')
  const chains = newChains()
  const sound: SoundLog[] = []
  let last: LineSoFar['last']
  for (const name of names) {
    const [store, full] = [logStore(root, name), `${origin}/${name}`]
    const verifiers = keysOf(keys, full)
    const report = await inLog(name, () =>
      fsck({
        ...{ store, verifiers },
        locked: () => locked(full),
        progress: (done, total) => progress(name, done, total),
        before: last === undefined ? { chains } : { chains, last },
      }),
    )
    sound.push({ ...report, name })
    last = { checkpoint: parseCheckpoint((await openReader(store)).text), verifiers }
  }
  const gap = chainGaps(chains)
  if (gap !== undefined) throw new Problem('log-inconsistent', gap)
  return sound
}

async function inLog<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    throw new Problem(error.slug, `${name}: ${error.message}`, { cause: error })
  }
}

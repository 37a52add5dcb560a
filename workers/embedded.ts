/** `queue: embedded`: the journal's records go straight into the log, in the same process. @module */
import { Problem } from '../base/problem.ts'
import type { AppendOnly } from '../evidence/log/open-line.ts'
import type { Persist } from '../evidence/record.ts'

/** A persist step that holds the log open. */
export interface Persister {
  readonly persist: Persist
  close(): Promise<void>
}

/**
 * Appends to the log, opening it at the first call and again after each failure: opening is what
 * recovers. Both queues end here.
 *
 * @param open opens the log; called again only after the previous one is closed.
 */
export function createEmbeddedPersist(open: () => Promise<AppendOnly>): Persister {
  let current: Promise<AppendOnly> | undefined
  let closed: Promise<void> = Promise.resolve()
  const drop = async (failed: Promise<AppendOnly>): Promise<void> => {
    if (current === failed) {
      current = undefined
      closed = failed.then(
        (log) => log.close(),
        () => undefined, // It never opened; the caller has the reason.
      )
    }
    await closed
  }
  return {
    persist: async (records) => {
      const opened = current ?? closed.then(open)
      current = opened
      try {
        await (await opened).append(records)
      } catch (error) {
        // A refused record says nothing against the log itself.
        if (!(error instanceof Problem) || error.slug !== 'job-invalid') await drop(opened)
        throw error
      }
    },
    close: async () => {
      if (current !== undefined) await drop(current)
    },
  }
}

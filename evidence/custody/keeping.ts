/** The originals of long bodies under way, by record: they end with it, whatever becomes of the exchange. @module */
import { Problem } from '../../base/problem.ts'
import type { Custody } from './custody.ts'
import type { Original } from './original.ts'
import type { Side } from './store.ts'

/** See `createKeeping`. */
export interface Keeping {
  /** Starts one. @param secret the record's, if it has one already. @throws {Problem} `evidence-unavailable` */
  start(item: { readonly rid: string; readonly until: string }, side: Side, secret?: Buffer): Kept
  /** The secret of a record that has an original and no intent yet. */
  secretOf(rid: string): Buffer | undefined
  /** Makes the originals of a record durable, however far they came. */
  finish(rid: string): Promise<void>
  /** Removes them: nothing of them has left. */
  abandon(rid: string): Promise<void>
  /** Finishes all. */
  close(): Promise<void>
}

/** An original under way, and the secret of its record. */
export interface Kept {
  readonly secret: Buffer
  readonly original: Original
}

/** @param alarm is told of what could not be kept, or removed, when it is too late to stop anything. */
export function createKeeping(
  custody: Custody | undefined,
  alarm: (message: string, error?: unknown) => void,
): Keeping {
  const kept = new Map<string, Kept[]>()
  const end = async (rid: string, act: (original: Original) => Promise<void>): Promise<void> => {
    const all = kept.get(rid) ?? []
    kept.delete(rid)
    for (const { original } of all) {
      await act(original).catch((error: unknown) =>
        alarm('the original of a long body was not kept as it should be', error),
      )
    }
  }
  return {
    start: ({ rid, until }, side, known) => {
      if (custody === undefined) throw noCustodian()
      const before = kept.get(rid) ?? []
      const secret = known ?? before[0]?.secret ?? custody.newSecret()
      const one = { secret, original: custody.keep({ rid, until, part: `${side}.body` }, secret) }
      kept.set(rid, [...before, one])
      return one
    },
    secretOf: (rid) => kept.get(rid)?.[0]?.secret,
    finish: (rid) => end(rid, (original) => original.finish()),
    abandon: (rid) => end(rid, (original) => original.abandon()),
    close: async () => {
      for (const rid of [...kept.keys()]) await end(rid, (original) => original.finish())
    },
  }
}

/** A policy wants what nobody could open. */
export function noCustodian(): Problem {
  return new Problem('evidence-unavailable', 'the policy wants custody, and no custodian is configured') // prettier-ignore
}

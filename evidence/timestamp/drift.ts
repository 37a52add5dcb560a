/** Notices a wall clock that was set: wall against monotonic time. @module */
import type { Clock } from '../../base/clock.ts'

/** A network time service slews by at most this much; more within a minute is a jump. */
const DRIFT_US_PER_MINUTE = 500_000n
const MINUTE_US = 60_000_000n

/** What one look at both clocks shows. */
export interface Drift {
  /** Wall minus monotonic progress since the watch began, microseconds. */
  readonly driftUs: bigint
  /** Stays true once seen: a clock that was set needs a person to say which time is right. */
  readonly jumped: boolean
}

/** Begins to watch a clock; each call looks at it. */
export function watchDrift(clock: Clock): () => Drift {
  const look = () => {
    const monotonicUs = clock.monotonicNs() / 1000n
    return { monotonicUs, offset: clock.wallUs() - monotonicUs }
  }
  const first = look()
  let anchor = first
  let jumped = false
  return () => {
    const now = look()
    const minutes = (now.monotonicUs - anchor.monotonicUs) / MINUTE_US
    const step = now.offset - anchor.offset
    const allowed = DRIFT_US_PER_MINUTE * (minutes + 1n)
    jumped ||= step > allowed || step < -allowed
    // Moved once a minute, not at each call: many small steps must not pass as slewing.
    if (minutes > 0n) anchor = now
    return { driftUs: now.offset - first.offset, jumped }
  }
}

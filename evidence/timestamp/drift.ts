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

/** Begins to watch a clock. Each call compares with the call before. */
export function watchDrift(clock: Clock): () => Drift {
  const offset = (): bigint => clock.wallUs() - clock.monotonicNs() / 1000n
  const first = offset()
  let last = first
  let lastAtUs = clock.monotonicNs() / 1000n
  let jumped = false
  return () => {
    const now = offset()
    const nowAtUs = clock.monotonicNs() / 1000n
    // At least one minute's allowance: two calls in one millisecond are no reason to be strict.
    const minutes = (nowAtUs - lastAtUs) / MINUTE_US + 1n
    const step = now > last ? now - last : last - now
    jumped ||= step > DRIFT_US_PER_MINUTE * minutes
    last = now
    lastAtUs = nowAtUs
    return { driftUs: now - first, jumped }
  }
}

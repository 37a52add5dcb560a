/** The clock that dates the records: its state in each of them, and a stop when it was set. @module */
import type { Clock } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import type { ClockState } from './payload.ts'
import { watchDrift } from './timestamp/drift.ts'

export interface ClockWatch {
  state(): ClockState
  /** @throws {Problem} `evidence-unavailable` once the wall clock has jumped, until a restart. */
  check(): void
}

/**
 * Watches the wall clock against the monotonic one.
 *
 * @param jumped called once, at the first look after a jump.
 */
export function watchClock(clock: Clock, jumped: (state: ClockState) => void): ClockWatch {
  const look = watchDrift(clock)
  let stopped = false
  return {
    state: () => {
      const drift = look()
      const state = { source: 'system', driftUs: Number(drift.driftUs) }
      if (drift.jumped && !stopped) {
        stopped = true
        jumped(state)
      }
      return state
    },
    check: () => {
      if (stopped) {
        throw new Problem('evidence-unavailable', 'the wall clock was set while the gateway ran; check the time and restart it') // prettier-ignore
      }
    },
  }
}

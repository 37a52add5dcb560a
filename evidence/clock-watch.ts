/** The clock that dates the records: its state in each of them, and a stop when it was set. @module */
import type { Clock } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import type { ClockState } from './payload.ts'
import { watchDrift } from './timestamp/drift.ts'

export interface ClockWatch {
  state(): ClockState
  /** Why nothing may be dated: the wall clock has jumped; only a restart helps. */
  problem(): Problem | undefined
}

/**
 * Watches the wall clock against the monotonic one.
 *
 * @param jumped called once, at the first look after a jump.
 */
export function watchClock(clock: Clock, jumped: (state: ClockState) => void): ClockWatch {
  const look = watchDrift(clock)
  let problem: Problem | undefined
  const state = () => {
    const drift = look()
    const now = { source: 'system', driftUs: Number(drift.driftUs) }
    if (drift.jumped && problem === undefined) {
      problem = new Problem('evidence-unavailable', JUMPED)
      jumped(now)
    }
    return now
  }
  return {
    state,
    problem: () => {
      state()
      return problem
    },
  }
}

const JUMPED = 'the wall clock was set while the gateway ran; check the time and restart it'

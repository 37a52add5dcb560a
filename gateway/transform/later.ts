/** Changes that are decided elsewhere, and come later. @module */
import { LATER_MAX } from './limits.ts'
import type { Change } from './transform.ts'

/** Awaits what is put off; what is put off again and again is refused. */
export async function settle(change: Change): Promise<Change> {
  let settled = change
  for (let turn = 0; settled.change === 'later'; turn++) {
    if (turn === LATER_MAX) return { change: 'refuse', why: 'the answer is put off for ever' }
    settled = await settled.result
  }
  return settled
}

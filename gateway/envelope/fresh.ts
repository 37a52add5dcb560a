/** Times and values used once: a message that was seen before is not taken again. @module */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { createReplayWindow } from '../party/replay.ts'
import { FRESH_MS, NONCE_CHARACTERS_MAX, NONCES_MAX } from './limits.ts'

/** One partner's window. */
export interface Freshness {
  /**
   * To be asked only after the signature verified, so that nobody else fills the memory.
   *
   * @param timestamp milliseconds since the epoch.
   * @throws {Problem} `envelope-unreadable` outside of the window, `envelope-replayed`, `overloaded`.
   */
  check(timestamp: string, nonce: string): void
  stamp(): { readonly timestamp: string; readonly nonce: string }
}

/** The memory dies with the process, so what was made before its start is refused. */
export function createFreshness(id: string, clock: Clock): Freshness {
  const nowMs = () => Number(clock.wallUs() / 1000n)
  const startedMs = nowMs()
  const window = createReplayWindow(NONCES_MAX, {
    slug: 'envelope-replayed',
    detail: `the nonce of envelope \`${id}\` was used before`,
  })
  const refuse = (why: string) => new Problem('envelope-unreadable', `envelope \`${id}\`: ${why}`)
  return {
    check: (timestamp, nonce) => {
      const madeMs = /^\d{13}$/.test(timestamp) ? Number(timestamp) : Number.NaN
      if (Number.isNaN(madeMs)) throw refuse('expected a time in milliseconds')
      const now = nowMs()
      if (Math.abs(now - madeMs) > FRESH_MS) {
        throw refuse(`its time is more than ${FRESH_MS / 60_000} minutes off`)
      }
      if (madeMs < startedMs) throw refuse('it was made before this gateway started; make it anew')
      if (nonce === '' || nonce.length > NONCE_CHARACTERS_MAX) {
        throw refuse(`expected a nonce of 1 to ${NONCE_CHARACTERS_MAX} characters`)
      }
      window.accept(nonce, Math.ceil((madeMs + FRESH_MS) / 1000), Math.floor(now / 1000))
    },
    stamp: () => ({ timestamp: String(nowMs()), nonce: randomUUID() }),
  }
}

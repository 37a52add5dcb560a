/** CPU time of functions in one process. @module */

const ROUNDS = 15
const ROUND_MS = 60

/**
 * The least CPU time of one call over the rounds, µs; the calls take turns.
 *
 * @param batch calls between two looks at the clock, which costs as much as a small body.
 */
export function leastUs(batch: number, ...calls: readonly (() => unknown)[]): number[] {
  const least = calls.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, call] of calls.entries()) {
      const end = performance.now() + ROUND_MS
      const before = process.cpuUsage()
      let count = 0
      while (performance.now() < end) {
        for (let n = 0; n < batch; n++) call()
        count += batch
      }
      const { user, system } = process.cpuUsage(before)
      least[index] = Math.min(least[index] ?? 0, (user + system) / count)
    }
  }
  return least
}

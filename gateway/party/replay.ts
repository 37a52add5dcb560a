/** Remembers identifiers until they expire, so that credentials work once. @module */
import { Problem, type ProblemSlug } from '../../base/problem.ts'

/** One party's memory of identifiers. */
export interface ReplayWindow {
  /**
   * Accepts an identifier once.
   *
   * @param expiresS seconds since the epoch after which the credentials are refused anyway.
   * @throws {Problem} the window's own, or `overloaded` when the memory is full: forgetting
   *   an identifier early would let it in twice.
   */
  accept(id: string, expiresS: number, nowS: number): void
}

/** Identifiers are forgotten by whole buckets, which costs nothing per identifier. */
const BUCKET_S = 30

/** Makes a window that holds at most `countMax` identifiers in memory; `seen` is what a second use gets. */
export function createReplayWindow(
  countMax: number,
  seen: { readonly slug: ProblemSlug; readonly detail: string },
): ReplayWindow {
  const buckets = new Map<number, Set<string>>()
  let count = 0
  let sweptS = 0

  function sweep(nowS: number): void {
    if (nowS - sweptS < BUCKET_S && nowS >= sweptS) return
    sweptS = nowS
    for (const [bucket, ids] of buckets) {
      if ((bucket + 1) * BUCKET_S >= nowS) continue
      count -= ids.size
      buckets.delete(bucket)
    }
  }

  return {
    accept: (id, expiresS, nowS) => {
      sweep(nowS)
      for (const ids of buckets.values()) {
        if (ids.has(id)) throw new Problem(seen.slug, seen.detail)
      }
      if (count >= countMax) throw new Problem('overloaded', 'too many credentials are remembered')
      const bucket = Math.floor(expiresS / BUCKET_S)
      const ids = buckets.get(bucket)
      if (ids === undefined) buckets.set(bucket, new Set([id]))
      else ids.add(id)
      count++
    },
  }
}

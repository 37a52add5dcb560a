/** Which segments are still needed: each record needs the one in which its first entry stands. @module */

export interface Retention {
  retain(segment: number): void
  release(segment: number): void
  /** The oldest segment that is needed; infinite when none is. */
  oldest(): number
}

/** Starts with nothing retained. */
export function createRetention(): Retention {
  const counts = new Map<number, number>()
  const add = (segment: number, by: number) => {
    const count = (counts.get(segment) ?? 0) + by
    if (count === 0) counts.delete(segment)
    else counts.set(segment, count)
  }
  return {
    retain: (segment) => add(segment, 1),
    release: (segment) => add(segment, -1),
    oldest: () => Math.min(...counts.keys()),
  }
}

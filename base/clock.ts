/** Time as a port, so that tests and fault injection can set it. @module */

/** Reads the time. Pure floors receive it as an argument and never ask the machine. */
export interface Clock {
  /** Wall clock, microseconds since the Unix epoch. */
  wallUs(): bigint
  /** Monotonic clock, nanoseconds since an arbitrary start. */
  monotonicNs(): bigint
}

/** The machine's clocks. */
export const systemClock: Clock = {
  // Date.now follows clock steps; performance.now would hide them.
  wallUs: () => BigInt(Date.now()) * 1000n,
  monotonicNs: () => process.hrtime.bigint(),
}

/** The wall clock's time as a Date, which knows milliseconds. */
export function toDate(wallUs: bigint): Date {
  return new Date(Number(wallUs / 1000n))
}

/** The second that was written last, up to its dot: most times of a process are of the same one. */
let newest = { second: -1n, text: '' }

/** RFC 3339 UTC with six fractional digits, the one form of time in records. */
export function toTimestamp(wallUs: bigint): string {
  const second = wallUs / 1_000_000n
  if (second !== newest.second) {
    newest = { second, text: new Date(Number(second) * 1000).toISOString().slice(0, 20) }
  }
  return `${newest.text}${String(wallUs - second * 1_000_000n).padStart(6, '0')}Z`
}

/**
 * Zeros ahead of what is written to a segment. A write that makes its file longer is durable only with
 * the file system's own journal behind it; one that replaces zeros needs nothing but itself. @module
 */
import type { OpenFile } from './files.ts'

/** The zeros of one segment. One caller at a time. */
export interface Ahead {
  /** Resolves when bytes may be written up to `end`: no zeros on their way will fall on them. */
  reach(end: number): Promise<void>
  /** Those bytes are written: sees to more zeros behind them, in the background. */
  reached(end: number): void
  /** Resolves when no more zeros come. */
  stop(): Promise<void>
}

/**
 * Starts without zeros. What cannot be filled (a full disk) stays as it is: the next write makes the
 * file longer itself, or fails.
 *
 * @param size how many zeros stand ready at most; a segment that is no longer than this has none.
 * @param sizeMax where the segment ends at the latest.
 */
export function startAhead(file: OpenFile, size: number, sizeMax: number): Ahead {
  let filled = 0
  let running: Promise<void> | undefined
  let stopped = false
  const fill = async (start: number, end: number): Promise<void> => {
    try {
      await file.fill(start, end - start)
      filled = end
    } catch {
      stopped = true
    } finally {
      running = undefined
    }
  }
  return {
    reach: async (end) => {
      if (end > filled) await running
      // INVARIANT: nothing is under way now, or it lies behind `filled`, and so behind `end`.
      filled = Math.max(filled, end)
    },
    reached: (end) => {
      if (stopped || running !== undefined || end < size || filled - end >= size) return
      const next = Math.min(filled + size, sizeMax)
      if (next > filled) running = fill(filled, next)
    },
    stop: async () => {
      stopped = true
      await running
    },
  }
}

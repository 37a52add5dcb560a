/** Every limit of the journal, in one table. @module */

/** A segment is closed when the next batch would make it longer. */
export const SEGMENT_BYTES_MAX = 64 * 1024 * 1024
/** Zeros that stand ready behind what is written: as many as some forty exchanges take. */
export const AHEAD_BYTES = 256 * 1024
/** One entry: a record with some ten thousand manifest lines and commitments. */
export const ENTRY_BYTES_MAX = 8 * 1024 * 1024
/** One write: what is waiting beyond it goes with the next. */
export const BATCH_BYTES_MAX = 4 * 1024 * 1024
/** Milliseconds between the beginnings of two writes that a busy event loop may gather for, at most. */
export const GATHER_MS_MAX = 4
/** A turn of the event loop that takes so many milliseconds had work to do. */
export const BUSY_TURN_MS = 1
/** Milliseconds after which what nobody waits for is written. */
export const LATER_MS = 10

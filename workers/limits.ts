/** Every limit of the record queue, in one table. @module */

/** Milliseconds for the first connection to Redis; later losses are retried for ever. */
export const CONNECT_TIMEOUT_MS = 5_000
/** Milliseconds between attempts to reconnect, at most. */
export const RECONNECT_MS_MAX = 1_000
/** Milliseconds after which `persist` gives up; the journal then hands the batch in again. */
export const PERSIST_TIMEOUT_MS = 60_000
/** Milliseconds of one wait; then the job is added again, in case Redis lost it in a crash. */
export const WAIT_MS = 2_000
/** Milliseconds between two tries of `persist`. */
export const PAUSE_MS = 100
/** Milliseconds between two attempts of a worker at one batch. */
export const RETRY_MS = 500
/** Completed jobs that stay (1.5 MB each), so that a waiter that missed the event sees the result. */
export const KEEP_COMPLETED = { age: 60, count: 32 }
/** Milliseconds after which a dead worker's batch goes to another. */
export const LOCK_MS = 30_000
/** Milliseconds before a thread that ended is started again; each further pause is twice as long. */
export const THREAD_RESTART_MS_MIN = 100
/** The longest pause before that. */
export const THREAD_RESTART_MS_MAX = 30_000
/** What is added to the niceness of the log's thread: a relay that waits for a processor goes first. */
export const THREAD_NICENESS = 5

/** Every limit of sealing and recording, in one table. @module */

/** Records accepted and not yet in the log; one waits in memory with 2 to 4 KB. */
export const BACKLOG_RECORDS_MAX = 50_000
/** Records signed before the event loop gets its turn: about 1 ms of signing. */
export const SEAL_RECORDS_MAX = 16
/** Milliseconds in which drafts gather: what signs them is then still in the processor's caches. */
export const SEAL_GATHER_MS = 20
/** Between two attempts to seal while the key, in a token, does not sign. */
export const SEAL_RETRY_MS = 1_000
/** Records handed to `persist` in one call. */
export const PERSIST_RECORDS_MAX = 1024
/** Bytes of one board of the shelf on which records wait for the log. */
export const SHELF_BYTES = 1024 * 1024
/** Empty boards that are kept for the next records: one that is let go lives until two threads have collected it. */
export const SHELVES_SPARE_MAX = 16
/** The first pause between two attempts to persist; each further one is twice as long. */
export const PERSIST_RETRY_MS_MIN = 100
/** The longest pause between two attempts to persist. */
export const PERSIST_RETRY_MS_MAX = 30_000
/** Between two attempts to renew the seal key. */
export const KEY_RETRY_MS = 60_000
/** Between two runs of the retention job. */
export const RETENTION_INTERVAL_MS = 3_600_000
/** Destroyed originals that one `erase` record lists. */
export const ERASED_PER_RECORD_MAX = 500
/** One record of a long original's ciphertext (RFC 8188), and the longest that is read. */
export const CODED_RECORD_BYTES = 65_536
/** See CODED_RECORD_BYTES. */
export const CODED_RECORD_BYTES_MAX = 1_048_576
/** Bytes of a long original that are written between two syncs, so that the last one does not take long. */
export const ORIGINAL_SYNC_BYTES = 16_777_216
/** Decoys fill the commitments up to a multiple of this, so that their number tells little. */
export const COMMITMENTS_MULTIPLE = 8
/** A disclosure carries one value; a whole body is the largest. */
export const DISCLOSURE_CHARS_MAX = 24 * 1024 * 1024
/** A record that a verifier reads. */
export const RECORD_CHARS_MAX = 4 * 1024 * 1024

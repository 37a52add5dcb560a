/** Every limit of the log and its witnesses, in one table. @module */

/** Records in one batch, and in one call of `append`. */
export const BATCH_RECORDS_MAX = 4096
/** A batch of this size does not wait: it fills four tiles. A batch costs as much as forty exchanges. */
export const BATCH_RECORDS_READY = 1024
/** Milliseconds between two checkpoints while batches are small. */
export const BATCH_MS = 500
/** Bytes of a note; a checkpoint with a hundred ML-DSA cosignatures is 350 kB. */
export const NOTE_BYTES_MAX = 512 * 1024
/** Signature lines of a note. */
export const SIGNATURES_MAX = 128
/** Hashes in a proof: no tree of safe size is higher. */
export const PROOF_HASHES_MAX = 64
/** Tiles (8 KiB each) that one reader keeps. */
export const TILES_KEPT_MAX = 64
/** Upper nodes (32 bytes each) that one reader keeps: proofs share them. */
export const NODES_KEPT_MAX = 4096
/** Bytes of a witness policy. */
export const POLICY_BYTES_MAX = 256 * 1024
/** Lines of each sort (log, witness, group) in a witness policy. */
export const POLICY_LINES_MAX = 64
/** Hashes in a request to a witness (c2sp.org/tlog-witness). */
export const REQUEST_HASHES_MAX = 63
/** Bytes of a request to a witness: a checkpoint and its hashes. */
export const REQUEST_BYTES_MAX = NOTE_BYTES_MAX + 4096
/** Milliseconds for one request to arrive at a witness whole. */
export const REQUEST_TIMEOUT_MS = 10_000
/** Connections that a witness serves at once. */
export const CONNECTIONS_MAX = 256
/** Milliseconds that a log waits for one answer of a witness. */
export const WITNESS_TIMEOUT_MS = 10_000
/** Conflicts that are answered with another size before giving up: others may be submitting too. */
export const WITNESS_TRIES_MAX = 4

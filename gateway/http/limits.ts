/** Every bound of the relay, in one table. @module */

/** Bounds with their units; tests pass smaller ones. */
// prettier-ignore
export const RELAY_LIMITS = {
  BODY_BYTES_MAX:           1_048_576, // bytes that are held in memory, as they come and decoded; for requests and answers
  STREAM_BYTES_MAX:    17_179_869_184, // bytes of a longer body, as it comes and decoded
  STREAMS_MAX:                     64, // bodies that are relayed while they come; the next one is answered `overloaded`
  STREAM_IDLE_TIMEOUT_MS:      20_000, // ms that either side of such a body may stand still; below RECIPIENT_TIMEOUT_MS
  CODING_RATIO_MAX:               200, // decoded bytes per byte of a content coding, beyond the first MiB
  SPOOL_BYTES_MAX:     68_719_476_736, // bytes of all bodies that are held back in files
  UPLOADS_MAX:                   256, // resumable uploads under way
  UPLOADS_PARTY_MAX:              32, // of one party
  UPLOADS_BYTES_MAX:  51_539_607_552, // bytes of all of them; below SPOOL_BYTES_MAX, so that other bodies have room
  UPLOADS_PARTY_BYTES_MAX: 34_359_738_368, // bytes of those of one party
  UPLOAD_IDLE_MS:         14_400_000, // ms that an upload waits to be gone on with
  UPLOAD_AGE_MS:         172_800_000, // ms that it may take in all
  UPLOAD_PROGRESS_BYTES:  16_777_216, // bytes between two 104 that say how far it is
  UPLOAD_ENDS_MAX:             4_096, // ended uploads of one party that are remembered
  UPLOAD_END_AGE_MS:     604_800_000, // ms that they are
  HEADER_BYTES_MAX:            16_384, // bytes of one message head, request line included
  URL_BYTES_MAX:                4_096, // bytes of the request target
  DISCARD_BYTES_MAX:        4_194_304, // bytes of a refused body read on, so that the caller sees the answer
  HEAD_TIMEOUT_MS:             10_000, // ms for a caller to send one head
  REQUEST_TIMEOUT_MS:          30_000, // ms for a caller to send one body that is held in memory
  KEEP_ALIVE_TIMEOUT_MS:       65_000, // ms that an idle caller connection stays open
  DIRECT_BYTES_MAX:           262_144, // bytes of a request that takes the direct leg
  RECIPIENT_TIMEOUT_MS:        30_000, // ms from dispatch to the last byte of the answer
  RECIPIENT_IDLE_TIMEOUT_MS:    4_000, // ms that an unused recipient connection is kept; below the 5 s many servers use
  RECIPIENT_SOCKETS_MAX:          256, // connections to one recipient
  RECIPIENT_SOCKETS_IDLE_MAX:      64, // idle connections to one recipient
  EXCHANGES_MAX:                2_048, // exchanges in flight; the next one is answered `overloaded`
  DEAD_RULE_USES:               1_000, // exchanges after which a rule that met no value is reported
  CANARY_INTERVAL_MS:        600_000, // ms between two canaries
  DRAIN_TIMEOUT_MS:            35_000, // ms to finish exchanges on shutdown
} as const

export type RelayLimits = { readonly [Name in keyof typeof RELAY_LIMITS]: number }

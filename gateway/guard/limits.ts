/** Limits of the detectors and the guard. @module */

/** Field names whose meaning is remembered. */
export const FIELD_NAMES_CACHED_MAX = 4096
/** A longer field name says nothing, UTF-16 units. */
export const FIELD_NAME_LENGTH_MAX = 128
/** Context words are looked for in so many UTF-16 units before a value. */
export const CONTEXT_BEFORE_MAX = 16
/** The same, after a value. */
export const CONTEXT_AFTER_MAX = 6
/** A hit with this score or more refuses the relay. */
export const REFUSE_SCORE = 0.5
/** How many carriers may stand inside each other (base64 of URL-encoded JSON …) before the guard refuses. */
export const CARRIER_DEPTH_MAX = 4
/** Decoded text, summed over all carriers of a message, per byte of the message; more refuses. */
export const DECODED_PER_BYTE_MAX = 8
/** How many places a refusal names. */
export const PLACES_NAMED_MAX = 5

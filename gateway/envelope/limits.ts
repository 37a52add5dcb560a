/** Bounds of partner envelopes, in one table. @module */

/** How far a partner's time may be off, either way, and how long its nonces are remembered. */
export const FRESH_MS = 15 * 60_000
/** Nonces remembered for each envelope; one more is answered `overloaded`. */
export const NONCES_MAX = 1_000_000
/** Characters of a nonce. */
export const NONCE_CHARACTERS_MAX = 128
/** Members of an outer document, its own and the ignored ones. */
export const MEMBERS_MAX = 32
/** Bytes of a shared secret, at least. */
export const SECRET_BYTES_MIN = 16
/** Bytes of a shared secret, at most. */
export const SECRET_BYTES_MAX = 1024
/** Bits of an RSA key. */
export const RSA_BITS_MIN = 2048
/** An exception for longer than this is a rule. */
export const SIGN_OFF_DAYS_MAX = 366

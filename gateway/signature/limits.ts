/** Bounds of message signatures. @module */

// prettier-ignore
export const SIGNATURE_LIMITS = {
  SECRET_BYTES_MIN: 32, // as long as the digest (RFC 2104 §3)
} as const

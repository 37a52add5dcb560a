/** Parties: who may call, who is called, and how a caller proves who it is. @module */
import type { PartyConfig } from '../config.ts'
import type { MessageSigner } from '../signature/sign.ts'

/** A party as configured; `base` is where it is called, without a trailing slash. */
export interface Party {
  readonly id: string
  readonly role: PartyConfig['role']
  readonly base?: URL
  /** Signs what is sent to this party, in place of the gateway's own key. */
  readonly signer?: MessageSigner
}

/** An identified caller. */
export interface Caller {
  readonly party: Party
  readonly method: 'jwt' | 'signature' | 'mtls' | 'hmac'
  /** Which key proved it: an RFC 7638 thumbprint, or a certificate's SHA-256; base64url. */
  readonly key: string
}

/** Bounds of authentication. */
// prettier-ignore
export const PARTY_LIMITS = {
  TOKEN_BYTES_MAX:        8_192, // bytes of one JWT
  TOKEN_LIFE_MAX_S:         300, // s between now and exp
  CLOCK_SKEW_S:              10, // s that a caller's clock may be off
  JTI_CHARACTERS_MAX:       128,
  JTI_COUNT_MAX:      1_000_000, // remembered identifiers per party
  JWKS_TIMEOUT_MS:        3_000, // ms for one fetch of a remote key set
  JWKS_AGE_MAX_MS:      600_000, // ms that a remote key set is used without asking again
  JWKS_COOLDOWN_MS:      30_000, // ms between two fetches for an unknown key
} as const

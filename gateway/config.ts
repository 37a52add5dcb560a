/** The typed configuration, as parsed once from sealgate.yaml and the environment. @module */
import type { Position } from '../base/diagnostic.ts'
import type { AuthorityEntry } from '../evidence/timestamp/sources.ts'
import type { TokenPlace } from '../evidence/pkcs11/token.ts'
import type { EnvelopeConfig } from './envelope/config.ts'

export interface Config {
  readonly file: string
  readonly relay: Listener
  readonly admin: Listener
  /** Absolute folders; relative ones in the file are relative to the file. */
  readonly data: string
  readonly policies: string
  readonly queue: { readonly kind: 'embedded' } | { readonly kind: 'redis'; readonly url: string }
  readonly index:
    { readonly kind: 'embedded' } | { readonly kind: 'postgres'; readonly url: string }
  readonly log:
    | { readonly kind: 'folder'; readonly path: string }
    | { readonly kind: 's3'; readonly url: string }
  /** The log's name in its checkpoints, without scheme: `evidence.example.com/evr/2026h2`. */
  readonly origin?: string
  readonly timestamp: TimestampConfig
  /** SM3 digests in the log's leaves, SM2 signatures beside stamped checkpoints and exports. */
  readonly gm?: true
  /** Who pins the log's history: a file in the format of c2sp.org/tlog-policy. */
  readonly witnesses?: { readonly policy: string; readonly intervalMs: number }
  /** The token that holds the seal key; absent when it is a file in the data folder. */
  readonly seal?: { readonly pkcs11: TokenPlace }
  /** Who keeps originals for policies with `custody: sealed`: a file with the custodian's public JWK. */
  readonly custody?: { readonly custodian: string }
  readonly operator: {
    readonly name: string
    readonly role: 'bureau' | 'entrusted-processor' | 'bank-side' | 'platform-side'
    readonly licence?: string
    readonly validUntil?: string
  }
  readonly parties: readonly PartyConfig[]
  readonly verifiers: readonly VerifierConfig[]
  /** What policies name under `envelope`. */
  readonly envelopes: readonly EnvelopeConfig[]
}

/** Who stamps the log's checkpoints, and how often. */
export interface TimestampConfig {
  readonly authorities: readonly AuthorityEntry[]
  /** A stamp is due after so many milliseconds, or so many records, whichever is first. */
  readonly intervalMs: number
  readonly recordsMax: number
  /** Algorithm (SHA-256, or an object identifier) → when it stops being accepted, for renewal. */
  readonly sunsets: ReadonlyMap<string, Date>
}

export interface Listener {
  /** Where the address was read, so that a port in use can be told with its line. */
  readonly at?: Position
  readonly host: string
  readonly port: number
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string }
}

export interface PartyConfig {
  readonly id: string
  readonly role: 'platform' | 'bank' | 'bureau' | 'guarantor' | 'other'
  /** Where the party is called; absent when it only calls. */
  readonly url?: string
  readonly auth: readonly AuthConfig[]
  /** File of secrets: what is sent to this party is signed with the first, not with the gateway's own key. */
  readonly signWith?: string
  /** File of the public JWK that `encrypt: recipient` seals values to. */
  readonly encryptTo?: string
}

/** Who answers `attest: <id>`. */
export interface VerifierConfig {
  readonly id: string
  /** https, or http on this machine. */
  readonly url: string
  /** The `iss` of its statements. */
  readonly issuer: string
  /** File or URL of its public keys. */
  readonly jwks: string
  readonly timeoutMs: number
}

export type AuthConfig =
  | { readonly method: 'jwt'; readonly jwks: string }
  | { readonly method: 'signature'; readonly jwks: string }
  | { readonly method: 'mtls'; readonly subject: string }
  /** A file of secrets for RFC 9421 `hmac-sha256`. */
  | { readonly method: 'hmac'; readonly secrets: string }

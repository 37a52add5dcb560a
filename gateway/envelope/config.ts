/** What sealgate.yaml says of one partner envelope. @module */
import type { Position } from '../../base/diagnostic.ts'
import type { Sm2Form } from '../../evidence/gm/sm2-cipher.ts'
import type { Weakness } from './weak.ts'

/** A secret that both sides hold, or our private and their public key. Files. */
export type KeyFiles = { readonly key: string } | { readonly ours: string; readonly theirs: string }

/** The spellings of bytes in text; only the canonical one is read. */
export type Encoding = 'base64' | 'base64url' | 'hex'

/** Symmetric encryption of the inner body. */
export interface CipherConfig {
  readonly algorithm: string
  readonly encoding: Encoding
  /** Where the initialisation vector stands: before the text, in a member, or nowhere. */
  readonly iv:
    | { readonly place: 'prefix' }
    | { readonly place: 'zero' }
    | { readonly place: 'fixed'; readonly file: string }
    | { readonly place: 'member'; readonly member: string }
  readonly key:
    | { readonly from: 'file'; readonly file: string }
    | { readonly from: 'wrap'; readonly wrap: WrapConfig }
}

/** A content key made for each message, encrypted to its reader. */
export interface WrapConfig {
  readonly algorithm: string
  readonly member: string
  readonly sm2: Sm2Form
  readonly ours: string
  readonly theirs: string
}

/** A signature or MAC in a member of the outer document. */
export interface SignConfig {
  readonly algorithm: string
  readonly member: string
  readonly encoding: Encoding
  /** `data`: the text of that member; `sorted`: `name=value` of all others, joined by `&`. */
  readonly over: 'data' | 'sorted'
  readonly keys: KeyFiles
}

/** The outer document. */
export interface JsonConfig {
  /** The member that holds the inner body. */
  readonly data: string
  /** Members with one value, which is checked and set. */
  readonly constants: ReadonlyMap<string, string>
  /** Members that may come along; they are not passed on. */
  readonly ignored: readonly string[]
  /** Members that hold the time in milliseconds and a value used once. */
  readonly fresh?: { readonly timestamp: string; readonly nonce: string }
}

/** `X-Ca-*` request headers, and `Content-MD5`. */
export interface HeadersConfig {
  readonly id: string
  readonly key: string
}

/** JWE and JWS in compact form; both: a JWS inside a JWE (RFC 7519 §11.2). */
export interface JoseConfig {
  readonly jwe?: {
    readonly algorithm: string
    readonly encryption: string
    readonly keys: KeyFiles
  }
  readonly jws?: { readonly algorithm: string; readonly keys: KeyFiles }
}

/** One named envelope. */
export interface EnvelopeConfig {
  readonly id: string
  readonly at: Position
  /** Of the body as it is on the wire, and of what is inside. */
  readonly mediaType: string
  readonly content: string
  readonly json?: JsonConfig
  readonly cipher?: CipherConfig
  readonly sign?: SignConfig
  readonly headers?: HeadersConfig
  readonly jose?: JoseConfig
  readonly weak: readonly Weakness[]
  /** Who accepts the weaknesses, and until when (`YYYY-MM-DD`, in China). */
  readonly signOff?: { readonly by: string; readonly until: string }
}

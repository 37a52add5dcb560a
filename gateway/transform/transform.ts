/** What a transform is: the seam between the engine, which finds values, and the crypto that changes them. @module */
import type { ManifestEntry, Claim } from '../../evidence/record.ts'
import type { Action } from '../policy/policy.ts'
import type { TextParts } from './parts.ts'

/** One value of a body, header, query or path, as a codec met it. Never logged: it prints as `[personal]`. */
export interface Scalar {
  readonly type: 'string' | 'number' | 'boolean' | 'null'
  /** The decoded text: a string's characters, or a number's source spelling. */
  reveal(): string
}

/** What becomes of one value. `text` replaces it as a string, `json` as ready JSON text. */
export type Change =
  | { readonly change: 'keep' }
  | { readonly change: 'drop' }
  | { readonly change: 'text'; readonly text: string }
  /** As `text`: one that is made with others when it is first asked for, and that no format escapes. */
  | { readonly change: 'token'; readonly text: () => string }
  | { readonly change: 'json'; readonly json: string }
  | { readonly change: 'refuse'; readonly why: string }
  /** Decided elsewhere (a verifier over HTTP, a vault); the engine awaits it and splices it in. */
  | { readonly change: 'later'; readonly result: Promise<Change> }

/** The value of one of the policy's `evidence.links`, known once the whole body was walked. */
export type Links = (name: string) => Promise<string | undefined>

/** A transform bound to its parameters, its domain and its keys. Pure but for `later`. */
export interface Transform {
  (value: Scalar, links?: Links): Change
  /** Starts to do the same to a text in parts; absent where the text must be whole. */
  readonly inParts?: () => TextParts
}

/** The route that a transform is bound to: what separates token domains (recipient × purpose × epoch). */
export interface Binding {
  readonly from: string
  readonly to: string
  readonly purpose: string
  /** Kind of the rule, `any` when the officer gave none. */
  readonly kind: string
  readonly direction: 'request' | 'response'
}

/** Binds an action; problems with its parameters are pushed, all of them, never thrown. */
export type TransformType = (
  action: Action,
  binding: Binding,
  complain: (message: string, help: string, code?: string) => void,
) => Transform

export type TransformTable = ReadonlyMap<string, TransformType>

/** A value that the exchange needs besides relaying it; a container reveals its JSON source text. */
export interface Captured {
  readonly type: Scalar['type'] | 'object' | 'array'
  reveal(): string
}

/** What the rules did. */
export interface Traces {
  readonly manifest: readonly ManifestEntry[]
  readonly unnamed: number
}

/** What they did to a body, and took from it. */
export interface BodyTraces extends Traces {
  /** `links.<name>` and `legal.consent`, when the body has them. */
  readonly captured: ReadonlyMap<string, Captured>
}

/** What rewriting one message yields. */
export interface Rewritten extends BodyTraces {
  readonly bytes: Buffer
  readonly claims: readonly Claim[]
}

/** A matched route: the active policy, bound to keys and ready to rewrite both directions. @module */
import type { Claim, ManifestEntry } from '../evidence/record.ts'
import type { Policy } from './policy/policy.ts'

export interface Route {
  readonly policy: Policy
  readonly request: Rewriter
  readonly response: Rewriter
}

/** Applies one direction's rules to the parts of a message. Each may throw a Problem. */
export interface Rewriter {
  body(bytes: Uint8Array): RewrittenBody | Promise<RewrittenBody>
  /** Without `?`. */
  query(raw: string): RewrittenText | Promise<RewrittenText>
  /** The path that matched the policy. */
  path(raw: string): RewrittenText | Promise<RewrittenText>
  headers(fields: Iterable<readonly [string, string]>): RewrittenHeaders | Promise<RewrittenHeaders>
}

/** What the rules did. */
export interface Traces {
  readonly manifest: readonly ManifestEntry[]
  readonly unnamed: number
}

export interface RewrittenBody extends Traces {
  readonly bytes: Buffer
  readonly claims: readonly Claim[]
  /** `links.<name>` and `legal.consent`; in memory only. */
  readonly captured: ReadonlyMap<string, Captured>
}

/** A value that evidence or consent asks for: decoded text, or JSON text of a container. */
export interface Captured {
  reveal(): string
}

export interface RewrittenText extends Traces {
  readonly text: string
}

export interface RewrittenHeaders extends Traces {
  readonly headers: readonly (readonly [string, string])[]
}

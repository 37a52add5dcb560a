/** The policy language as data: what parsing a policy file yields and what everything else reads. @module */
import type { Position } from '../../base/diagnostic.ts'
import type { BodyDialect } from './body.ts'
import type { YamlNode } from '../../base/yaml.ts'
import type { DirectionEnvelopes } from '../envelope/stage.ts'

export type { Position } from '../../base/diagnostic.ts'

/** One step of an RFC 9535 path. `descendant` steps any number of levels, then takes `of`. */
export type Segment =
  | { readonly step: 'name'; readonly name: string }
  | { readonly step: 'index'; readonly index: number }
  | { readonly step: 'wildcard' }
  | { readonly step: 'descendant'; readonly of: Segment }

export type Path = readonly Segment[]

/**
 * What a rule does to a value. `with` carries the parameters, checked by the transform that owns
 * the name: this type stays the same when a transform is added.
 */
export interface Action {
  /** keep, drop, mask, pseudonymise, tokenize, reveal, … */
  readonly transform: string
  readonly with: Readonly<Record<string, ActionParameter>>
}
export type ActionParameter =
  | string
  | number
  | boolean
  | null
  | readonly ActionParameter[]
  | { readonly [name: string]: ActionParameter }

/** One line of `fields`, `query`, `headers` or `path`. */
export interface Rule {
  /** `R1`, `R2`, … in file order over request then response: stable names for findings and counters. */
  readonly id: string
  /** The path as written, canonical spelling. */
  readonly text: string
  readonly path: Path
  readonly action: Action
  /** A name of the kinds dictionary, when the officer gave one. */
  readonly kind?: string
  /** Where the result goes when not in place (`to:`). */
  readonly to?: Path
  readonly reason?: string
  readonly at: Position
}

/** What happens to one direction of an exchange. */
export interface Direction {
  /** How bodies are written, where their media type does not tell. */
  readonly body?: BodyDialect
  readonly unnamed: 'drop' | 'refuse'
  /** The partner envelopes of sealgate.yaml around the body; absent: it is plain on both sides. */
  readonly envelope?: DirectionEnvelopes & { readonly at: Position }
  /** Whether a long body is held back until all of it has passed. */
  readonly buffered?: boolean
  /** Header names, lower case, that pass besides the ones the gateway itself sets. */
  readonly headers: readonly Rule[]
  readonly query: readonly Rule[]
  readonly pathParameters: readonly Rule[]
  readonly fields: readonly Rule[]
}

export interface Policy {
  readonly id: string
  readonly version: number
  readonly title: { readonly zh: string; readonly en: string }
  readonly from: string
  readonly to: string
  readonly when: {
    /** Upper case. */
    readonly method: string
    /** Literal segments, or `{name}` for one whole segment. */
    readonly path: string
  }
  readonly purpose: string
  readonly legal: {
    readonly basis: string
    readonly consent?: Path
    readonly pia?: { readonly id: string; readonly date: string }
  }
  readonly evidence: {
    /** Link name → where its value stands in the request. Pseudonymised before it is sealed. */
    readonly links: ReadonlyMap<string, Path>
    readonly custody: 'none' | 'sealed'
    readonly retain: string
  }
  readonly mode: 'enforce' | 'shadow'
  readonly request: Direction
  readonly response: Direction
  readonly tests: readonly PolicyTest[]
  /** `sha256:<hex>` of the file's bytes: what the evidence record names. */
  readonly digest: string
  readonly source: { readonly file: string; readonly text: string }
}

/** A worked example inside a policy; it runs whenever the policy loads. */
export interface PolicyTest {
  readonly name: string
  /** The sample bodies: text exactly as it is sent, anything else written out as JSON. */
  readonly request?: YamlNode
  readonly response?: YamlNode
  /** What must arrive; `{ token: kind }`, `{ masked: … }` and the like match by form. */
  readonly relayed?: YamlNode
  readonly answered?: YamlNode
  /** Text that the refusal's reason contains. */
  readonly refused?: string
  /** Texts that may stand nowhere in what leaves. */
  readonly never: readonly string[]
  readonly at: Position
}

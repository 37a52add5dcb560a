/**
 * The evidence record: what one exchange, or one other event, leaves for a court. Everything in it
 * is free of personal data; values appear only as salted commitments (RFC 9901). @module
 */

import type { Original } from './custody/original.ts'
import type { RowLedger } from './rows/ledger.ts'

export type RecordKind =
  | 'exchange'
  | 'refusal'
  | 'deposit'
  | 'policy'
  | 'key'
  | 'reveal'
  | 'clock'
  | 'gap'
  | 'hold'
  | 'erase'

/** What a policy did at one rule. The path is the rule's, never a key from a body. */
export interface ManifestEntry {
  readonly rule: string
  readonly path: string
  readonly action: string
  readonly kind?: string
  readonly class?: 'C1' | 'C2' | 'C3'
  /** How many values the rule met. */
  readonly count: number
}

/** A value to be committed to, held in memory only until its salted digest is made. */
export interface Claim {
  /** `f:$.applicant.idNumber`, `r:$.decision`, `url`, `headers`, `body_sha256`, … */
  readonly name: string
  /** Any JSON value as JSON text, so that numbers keep their spelling. */
  readonly json: string
}

/** What is known before the first byte goes to the recipient. */
export interface Intent {
  /** UUIDv7; also the Evidence-Id. */
  readonly rid: string
  readonly receivedUs: bigint
  readonly caller: { readonly id: string; readonly auth: string; readonly key: string }
  readonly recipient: string
  readonly route: string
  readonly policy: { readonly id: string; readonly version: number; readonly digest: string }
  readonly purpose: string
  readonly legal: {
    readonly basis: string
    readonly pia?: { readonly id: string; readonly date: string }
  }
  /** Set when the policy says `custody: sealed`: the last day (`YYYY-MM-DD`) that originals are kept. */
  readonly custody?: { readonly until: string }
  /** Link name → keyed pseudonym. */
  readonly links: Readonly<Record<string, string>>
  readonly request: MessageFacts | StreamFacts
}

/** What is known of a body that is relayed while it comes; the rest comes with the outcome. */
export interface StreamFacts {
  readonly method?: string
  readonly mediaType: string
  readonly upload?: UploadFacts
  readonly streamed: true
  readonly claims: readonly Claim[]
}

/** A body that came over several requests: in how many parts, and when the last of it came. */
export interface UploadFacts {
  /** RFC 3339, as all times of records. */
  readonly completed: string
  readonly parts: number
}

/** The rows of a body and the roots of the trees over them, as they came and as they left (see rows/tree.ts). */
export interface RowFacts {
  /** Rows that came, and that were decided about. */
  readonly count: number
  /** Those of them of which nothing left, when there are any: the second tree has so many leaves fewer. */
  readonly dropped?: number
  readonly received: string
  readonly forwarded: string
}

/** A partner's envelope around a body: its name in the configuration and how it is made. */
export interface EnvelopeFacts {
  readonly name: string
  readonly algorithm: string
  /** Weaknesses that somebody accepted. */
  readonly weak: readonly string[]
}

/** One direction's facts; lengths in bytes, of bodies as they were on the wire. */
export interface MessageFacts {
  readonly method?: string
  readonly mediaType: string
  readonly upload?: UploadFacts
  readonly streamed?: true
  /** The content coding (RFC 9110 §8.4) in which it came and left, when it had one. */
  readonly coding?: string
  readonly length: number
  readonly forwardedLength: number
  readonly manifest: readonly ManifestEntry[]
  /** Values at paths that no rule names: how many were dropped. */
  readonly unnamed: number
  readonly rows?: RowFacts
  /** The body was stopped on its way: what the receiver has of it counts for nothing. */
  readonly void?: true
  readonly claims: readonly Claim[]
  /** Absent where the body came, or went, without an envelope. */
  readonly envelopes?: { readonly opened?: EnvelopeFacts; readonly sealed?: EnvelopeFacts }
}

/**
 * How an exchange ended. `unknown`: a crash came between intent and outcome; `delivered`: a file was
 * handed over, which nobody answers.
 */
export interface Outcome {
  readonly result: 'answered' | 'delivered' | 'refused' | 'failed' | 'unknown'
  /** Status that the caller received. */
  readonly status?: number
  readonly recipientStatus?: number
  /** Problem slug, when the answer was a problem. */
  readonly problem?: string
  /** The four legal times of 电子签名法 arts. 6 and 11, with `Intent.receivedUs`. */
  readonly sentUs?: bigint
  readonly responseReceivedUs?: bigint
  readonly answeredUs?: bigint
  /** Of a request that was relayed while it came: all of its facts, in place of the intent's. */
  readonly request?: MessageFacts
  /** The same for its links. */
  readonly links?: Readonly<Record<string, string>>
  readonly response?: MessageFacts
}

/** A refusal names what is known; a caller who did not identify itself has no id. */
export interface Refusal {
  readonly rid: string
  readonly receivedUs: bigint
  readonly answeredUs: bigint
  readonly caller?: { readonly id: string; readonly auth: string; readonly key: string }
  readonly recipient?: string
  readonly route?: string
  readonly policy?: { readonly id: string; readonly version: number; readonly digest: string }
  readonly problem: string
  readonly status: number
  readonly claims: readonly Claim[]
}

/** What the relay needs of the evidence floor. Every promise resolves when durable (fdatasync). */
export interface Recorder {
  /** @throws {Problem} `evidence-unavailable` or `key-unusable`: nothing may be relayed then. */
  intend(intent: Intent): Promise<void>
  /** Never loses an outcome silently: a failure leaves `unknown` for the restart to seal. */
  conclude(rid: string, outcome: Outcome): Promise<void>
  refuse(refusal: Refusal): Promise<void>
  /**
   * Starts what a long body leaves besides its record: the ledger of its rows, salted by the record's
   * secret, and under custody its original. That ends with the record: kept by `conclude`, even if it
   * was stopped, and removed by `refuse`.
   *
   * @throws {Problem} `evidence-unavailable` without a custodian.
   */
  body(rid: string, side: 'request' | 'response', custody?: Intent['custody']): BodyEvidence
  close(): Promise<void>
}

/** See `Recorder.body`. */
export interface BodyEvidence {
  readonly ledger: RowLedger
  /** Must get each part before that part leaves, and be finished before the last one does. */
  readonly original?: Pick<Original, 'write' | 'finish'>
}

/** What records are found by, besides their names. */
export interface FindingFacts {
  /** Microseconds since the Unix epoch. */
  readonly receivedUs: number
  readonly caller?: string
  readonly recipient?: string
  readonly route?: string
  /** `<id>@<version>`. */
  readonly policy?: string
  /** Pseudonymous link keys by link name. */
  readonly links: Readonly<Record<string, string>>
}

/** A sealed record on its way to the log. The JWS bytes are the record; the rest is derived. */
export interface SealedRecord {
  readonly rid: string
  readonly kind: RecordKind
  readonly instance: string
  readonly seq: number
  readonly jws: string
  /**
   * What the log needs of the JWS, base64url SHA-256 included, when the process that sealed it has it
   * at hand; what comes from elsewhere has none, and the log reads the JWS.
   */
  readonly known?: FindingFacts & { readonly digest: string }
}

/** Where sealed records go. Resolves when all of them are in the log, each exactly once. */
export type Persist = (records: readonly SealedRecord[]) => Promise<void>

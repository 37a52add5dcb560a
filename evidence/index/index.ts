/** The index: finds records; never the truth. Everything in it can be made again from the log. @module */
import type { FindingFacts, RecordKind } from '../record.ts'

/** What the index knows of one record, all of it as the record's payload says. */
export interface IndexRow extends FindingFacts {
  /** Leaf index in the log, from 0. */
  readonly position: number
  /** base64url SHA-256 of the JWS. */
  readonly digest: string
  readonly rid: string
  readonly kind: RecordKind
  readonly instance: string
  readonly seq: number
}

/** How a record is recognised when it arrives again. */
export interface RecordName {
  readonly rid: string
  readonly instance: string
  readonly seq: number
}

/** Where a record of that rid, or of that instance and seq, already stands. */
export interface KnownRecord {
  readonly position: number
  readonly rid: string
  readonly digest: string
}

/** The tree that the index reflects. */
export interface IndexHead {
  readonly size: number
  /** base64 root hash. */
  readonly root: string
}

/** Every condition given must hold. Results come in log order. */
export interface IndexQuery {
  readonly rid?: string
  /** Received at or after, and before: microseconds since the Unix epoch. */
  readonly sinceUs?: number
  readonly untilUs?: number
  readonly kind?: string
  readonly caller?: string
  readonly recipient?: string
  /** As caller or as recipient. */
  readonly party?: string
  readonly route?: string
  /** `<id>` for every version, or `<id>@<version>`. */
  readonly policy?: string
  /** A link key, under any link name. */
  readonly link?: string
  /** A rid: all records that share a link key with it. */
  readonly case?: string
  /** First position to give, for paging. */
  readonly from?: number
  /** At most this many rows, up to `SEARCH_ROWS_MAX`. */
  readonly limit?: number
}

/** Rows in one answer. */
export const SEARCH_ROWS_MAX = 10_000

/** The port. `add` is atomic: rows and head change together or not at all. */
export interface EvidenceIndex {
  head(): Promise<IndexHead>
  /** For each name, the record that already bears its rid, else its instance and seq. */
  match(names: readonly RecordName[]): Promise<(KnownRecord | undefined)[]>
  add(rows: readonly IndexRow[], head: IndexHead): Promise<void>
  search(query: IndexQuery): Promise<IndexRow[]>
  /** Forgets everything, before it is filled again from the log. */
  clear(): Promise<void>
  close(): Promise<void>
}

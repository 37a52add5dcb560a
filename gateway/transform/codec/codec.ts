/** What a codec is: it reads one kind of body, whole or in parts, and reports its values. @module */
import type { JsonSink } from '../../../base/json-scan.ts'
import type { ProblemSlug } from '../../../base/problem.ts'
import type { BodyFormat } from '../format.ts'
import type { Program, Spelling } from '../program.ts'

/** Receives what a codec reads: the engine, or whoever wants to know what stands in a body. */
export interface BodySink extends JsonSink {
  /**
   * The next value is a cell of a table, at `start`; its name stands elsewhere.
   *
   * @param symbol the column's number among the names of the rules.
   */
  column(start: number, symbol: number): void
  /**
   * Opens a container. One that is `digested` is never held: when it is dropped, its claim is a digest.
   * `bytes` have no values inside, so that only `keep` and `drop` fit them; kept, they are claimed too.
   */
  open(isArray: boolean, start: number, digested?: 'part' | 'bytes'): boolean
  /** @param digest of what is digested. */
  close(end: number, digest?: string): void
  /** The next part of a body that is one string, where its policy `takesParts`. */
  part(start: number, end: number, last: boolean): void
  /** A span that belongs to the open container itself: it leaves whenever the container does. */
  literal(start: number, end: number): void
  /** The same for a text that does not stand in the body. */
  insert(text: string): void
  /** A span that nobody may see, unless all of the open container is kept. */
  skip(start: number, end: number): void
  /** A span that goes whatever becomes of the open container. */
  omit(start: number, end: number): void
}

/** One body on its way through a codec. */
export interface Reader {
  /** Bytes before the current buffer, for messages. */
  offset: number
  /** Whether `advance` stopped although more may be complete: a part that stands alone has ended. */
  paused: boolean
  /** Where it stands, when it is a row. */
  row: Span | undefined
  /** Of a table: the columns that its rows leave with, once they are known. */
  columns?(): readonly string[] | undefined
  /** Of rows: the row, and perhaps the column, in which `end` stands when all up to `start` was read. */
  placeAt?(bytes: Buffer, start: number, end: number): string
  /**
   * Reports what is complete in `bytes` between `start` and `end`.
   *
   * @param last whether `end` is the end of the body.
   * @returns where it stopped; the caller goes on from there, with more bytes behind.
   */
  advance(bytes: Buffer, last: boolean, start: number, end: number): number
}

/** Positions in the current buffer. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A codec made ready for one body. */
export interface Codec {
  readonly spelling: Spelling
  /** Whether all of the body is text: it is UTF-8 then, and never cut within a character. */
  readonly isText: boolean
  /** @param resumable whether the body comes in several parts. */
  read(sink: BodySink, resumable: boolean): Reader
}

/** Makes a codec ready. `slug` is the problem that an unreadable body is. */
export type OpenCodec = (format: BodyFormat, program: Program, slug: ProblemSlug) => Codec

/** What a codec is: it reads one kind of body, whole or in parts, and tells the engine. @module */
import type { ProblemSlug } from '../../../base/problem.ts'
import type { Rewriter } from '../engine.ts'
import type { Program, Spelling } from '../program.ts'
import type { BodyFormat } from '../format.ts'

/** One body on its way through a codec. */
export interface Reader {
  /** Bytes before the current buffer, for messages. */
  offset: number
  /** Where the row stands that has just ended: set when `advance` stopped for it. */
  row: Span | undefined
  /**
   * Reports what is complete in `bytes` between `start` and `end`. Stops behind each row, if the
   * format has rows.
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
  read(rewriter: Rewriter, resumable: boolean): Reader
}

/** Makes a codec ready. `slug` is the problem that an unreadable body is. */
export type OpenCodec = (format: BodyFormat, program: Program, slug: ProblemSlug) => Codec

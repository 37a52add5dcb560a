/** What the engine runs on: compiled rules, and a codec's spelling. @module */
import type { ScalarType } from '../../base/json-token.ts'
import type { ManifestEntry } from '../../evidence/record.ts'
import type { Matcher } from './matcher.ts'
import type { Source } from './source.ts'
import type { Transform } from './transform.ts'

/** A rule made ready. */
export interface BoundRule {
  readonly text: string
  /**
   * `keep` and `drop` take containers too, `scalar` does not; `reserved` is the target of a `to`,
   * where no value of the body's own may stand.
   */
  readonly verb: 'keep' | 'drop' | 'scalar' | 'reserved'
  readonly transform: Transform
  /** The member's new name. */
  readonly to: string | undefined
  readonly entry: Omit<ManifestEntry, 'count'>
}

/** The rules of one direction for one kind of place: body, query, headers or path. */
export interface Program {
  readonly matcher: Matcher
  readonly rules: readonly BoundRule[]
  /** What each captured value is called; several names may want one value. */
  readonly captures: readonly (readonly string[])[]
  readonly unnamed: 'drop' | 'refuse'
  /** Names that rules spell out; others may be personal and stand in no message. */
  readonly names: ReadonlySet<string>
  /** What claims are named by; undefined when another claim covers the whole place. */
  readonly claims: 'f:' | 'r:' | undefined
}

/** How a codec spells names and values. */
export interface Spelling {
  /** Bytes of quotation on each side of a name. */
  readonly nameQuote: number
  readName(source: Source, start: number, end: number): string
  readScalar(source: Source, type: ScalarType, start: number, end: number): string
  /** The JSON text of a value; of a container that is no JSON, the JSON string of its source. */
  toJson(source: Source, start: number, end: number, isContainer: boolean): string
  /** A name with its quotation. */
  writeName(name: string): string
  writeText(text: string): string
  /**
   * What stands on each side of a token, whose characters no format escapes, so that it may be made later;
   * absent where a text is written by what is at hand, so that it must be made at once.
   */
  readonly tokenQuote?: '"' | ''
  writeJson(json: string): string
  /** Whether `readName` numbers names that repeat, so that no other spelling will do. */
  readonly numbersNames?: true
  /** What stands in the place of the value at hand when it goes; absent or undefined: nothing. */
  placeholder?(): string | undefined
  /** Where the end of a renamed item that ends at `to` must be written anew, and how. */
  tail?(to: number): { readonly from: number; readonly text: string } | undefined
}

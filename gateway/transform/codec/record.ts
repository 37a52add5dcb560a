/** Cuts records into cells (RFC 4180 §2), with any delimiter; what two parsers read in two ways is refused. @module */
import { malformed } from '../../../base/json-token.ts'
import { Problem } from '../../../base/problem.ts'

/** One record as it was cut: cells with their quotation marks, and where it and its line break end. */
export interface Cut {
  readonly starts: number[]
  readonly ends: number[]
  count: number
  end: number
  next: number
}

/** How records are cut. */
export interface CutMarks {
  readonly delimiter: number
  readonly isQuoting: boolean
  /** 1 for bytes that end a plain cell, or may not stand in it. */
  readonly stops: Uint8Array
}

const LINE_FEED = 0x0a
const RETURN = 0x0d
const TAB = 0x09
const QUOTE = 0x22

/** Prepares to cut. */
export function marksOf(delimiter: number, isQuoting: boolean): CutMarks {
  const stops = new Uint8Array(256)
  for (let byte = 0; byte < 0x20; byte++) stops[byte] = byte === TAB ? 0 : 1
  stops[delimiter] = 1
  if (isQuoting) stops[QUOTE] = 1
  return { delimiter, isQuoting, stops }
}

/** @returns an empty place to cut into. */
export function newCut(): Cut {
  return { starts: [], ends: [], count: 0, end: 0, next: 0 }
}

/** Cuts the record at `start`. @returns false when it may go on behind `end`. */
// prettier-ignore
export function cutRecord(cut: Cut, marks: CutMarks, bytes: Buffer, start: number, end: number, last: boolean, offset: number): boolean {
  cut.count = 0
  let at = start
  for (;;) {
    const cellStart = at
    const quoted = marks.isQuoting && at < end && bytes[at] === QUOTE
    at = quoted ? closeQuote(bytes, at, end) : plainEnd(marks, bytes, at, end, offset)
    if (at < 0 && last) throw malformed(offset + cellStart, 'a quotation mark is not closed')
    if (at < 0 || (at === end && !last)) return false
    cut.starts[cut.count] = cellStart
    cut.ends[cut.count++] = at
    if (at < end && bytes[at] === marks.delimiter) {
      at++
      continue
    }
    if (at < end && bytes[at] === RETURN && at + 1 === end && !last) return false
    cut.end = at
    cut.next = breakEnd(bytes, at, end, offset)
    return true
  }
}

/** How many cells the beginning of a record has, the one in which it ends included. */
export function countCells(bytes: Buffer, { delimiter, isQuoting }: CutMarks): number {
  let count = 1
  let inside = false
  for (const byte of bytes) {
    if (isQuoting && byte === QUOTE) inside = !inside
    else if (byte === delimiter && !inside) count++
  }
  return count
}

/** @returns the cell's text, without quotation. */
export function cellText(source: string, isQuoting: boolean): string {
  if (!isQuoting || !source.startsWith('"')) return source
  return source.slice(1, -1).replaceAll('""', '"')
}

/** Writes a cell. @throws {Problem} `value-unsuitable` when nothing can be escaped. */
export function writeCell(text: string, { delimiter, isQuoting }: CutMarks): string {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (
      unit !== delimiter &&
      unit !== LINE_FEED &&
      unit !== RETURN &&
      !(isQuoting && unit === QUOTE)
    )
      continue
    if (isQuoting) return `"${text.replaceAll('"', '""')}"`
    throw new Problem('value-unsuitable', 'a new value holds the delimiter or a line break')
  }
  return text
}

/** @returns where the quoted cell ends, -1 when it does not. */
function closeQuote(bytes: Buffer, start: number, end: number): number {
  let at = start + 1
  for (;;) {
    at = bytes.indexOf(QUOTE, at)
    if (at < 0 || at >= end) return -1
    if (at + 1 >= end || bytes[at + 1] !== QUOTE) return at + 1
    at += 2
  }
}

// prettier-ignore
function plainEnd({ delimiter, isQuoting, stops }: CutMarks, bytes: Buffer, start: number, end: number, offset: number): number {
  let at = start
  while (at < end && stops[bytes[at] as number] === 0) at++
  const byte = bytes[at]
  if (at === end || byte === delimiter || byte === LINE_FEED || byte === RETURN) return at
  if (byte === QUOTE && isQuoting)
    throw malformed(offset + at, 'a quotation mark inside a value that is not quoted')
  throw malformed(offset + at, 'a control character')
}

function breakEnd(bytes: Buffer, at: number, end: number, offset: number): number {
  if (at === end) return end
  if (bytes[at] === LINE_FEED) return at + 1
  if (bytes[at] === RETURN && at + 1 < end && bytes[at + 1] === LINE_FEED) return at + 2
  throw malformed(offset + at, 'expected the delimiter or a line break')
}

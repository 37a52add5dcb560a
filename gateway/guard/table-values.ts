/**
 * Visits the cells of a table that deserve a closer look. It shares no code with the codec, trusts nothing and
 * never throws: what it cannot cut is one cell. @module
 */
import type { CsvDialect } from '../policy/body.ts'
import { type Name, NO_NAME } from './names.ts'
import { CONTROL, deserves, HIGH, QUOTED, STOP } from './suspicion.ts'

/** Receives what deserves a look: a cell under its column's name, or, under none, a name. */
export type VisitCell = (place: CellPlace, text: string, name: string) => void

/** Where a cell stands: rows and columns count from 1. */
export interface CellPlace {
  readonly record: 'row' | 'head' | 'row of names' | 'trailer'
  /** Of the row at hand, or of the last one before. */
  readonly row: number
  readonly column: number
}

/** One record as it was cut, without quotation marks around its cells; reused for the next. */
interface Cells {
  readonly bytes: Buffer
  /** All of it, character by byte: what is ASCII is cut out of it. Made when it is first asked for. */
  latin1: string | undefined
  readonly starts: number[]
  readonly ends: number[]
  readonly traits: number[]
  count: number
  next: number
}

const LINE_FEED = 0x0a
const RETURN = 0x0d
const QUOTE = 0x22
/** Longer cells are looked at in any case. */
const BYTES_MAX = 1024

/** Visits suspicious cells in order. Linear in `bytes`, which are UTF-8. */
export function visitCells(
  bytes: Buffer,
  csv: CsvDialect,
  nameOf: (text: string) => Name,
  visit: VisitCell,
): void {
  // prettier-ignore
  const cells: Cells = { bytes, latin1: undefined, starts: [], ends: [], traits: [], count: 0, next: 0 }
  const plain = plainTraits(csv.delimiter)
  const head = csv.head?.columns.map(nameOf)
  const trailer = csv.trailer?.columns.map(nameOf)
  let names = csv.columns?.map(nameOf)
  let rows = 0
  for (let isFirst = true; isFirst || cells.next < bytes.length; isFirst = false) {
    cutRecord(cells, csv, plain)
    if (isFirst && head !== undefined && cells.count === head.length)
      judge(cells, head, visit, 'head', rows)
    else if (names === undefined) {
      names = Array.from({ length: cells.count }, (_, index) => nameOf(textOf(cells, index)))
      judge(cells, [], visit, 'row of names', rows)
    } else if (cells.next >= bytes.length && trailer !== undefined) {
      // The last record is the trailer; a row in its place is looked at without names too.
      judge(cells, trailer, visit, 'trailer', rows)
      judge(cells, [], visit, 'trailer', rows)
    } else {
      rows++
      judge(cells, names, visit, 'row', rows)
    }
  }
}

// prettier-ignore
function judge(cells: Cells, names: readonly Name[], visit: VisitCell, record: CellPlace['record'], row: number): void {
  const { bytes, starts, ends, traits, count } = cells
  for (let index = 0; index < count; index++) {
    const name = names[index] ?? NO_NAME
    if (!name.clean) visit({ record, row, column: index + 1 }, name.text, '')
    const [start, end, trait] = [starts[index] as number, ends[index] as number, traits[index] as number]
    if (trait >= CONTROL || end - start > BYTES_MAX || deserves(name, bytes, trait, start, end))
      visit({ record, row, column: index + 1 }, textOf(cells, index), name.text)
  }
}

function textOf(cells: Cells, index: number): string {
  const { bytes } = cells
  const [start, end] = [cells.starts[index] as number, cells.ends[index] as number]
  const isAscii = ((cells.traits[index] as number) & HIGH) === 0
  if (isAscii) cells.latin1 ??= bytes.toString('latin1')
  const text =
    (isAscii ? cells.latin1?.slice(start, end) : undefined) ?? bytes.toString('utf8', start, end)
  return bytes[start - 1] === QUOTE ? text.replaceAll('""', '"') : text
}

/** Traits of the bytes of a cell without quotation; STOP ends it. */
function plainTraits(delimiter: string): Int32Array {
  const traits = QUOTED.map((trait, byte) => (byte < 0x20 || byte === QUOTE ? CONTROL : trait))
  for (const end of [delimiter.charCodeAt(0), LINE_FEED, RETURN]) traits[end] = STOP
  return traits
}

/** Cuts the record at `cells.next`. */
function cutRecord(cells: Cells, { delimiter, quote }: CsvDialect, plain: Int32Array): void {
  const { bytes } = cells
  const { length } = bytes
  const parting = delimiter.charCodeAt(0)
  const isQuoting = quote === 'double'
  let at = cells.next
  cells.count = 0
  for (;;) {
    const close = isQuoting && bytes[at] === QUOTE ? closeQuote(bytes, at, parting) : -1
    const start = close < 0 ? at : at + 1
    let traits = 0
    if (close >= 0) {
      for (at++; at < close - 1; at++) traits |= quotedTrait(bytes[at] as number)
    } else {
      for (; at < length; at++) {
        const trait = plain[bytes[at] as number] as number
        if (trait === STOP) break
        traits |= trait
      }
    }
    // What is no quoted cell, but stands in quotation marks, is looked at without them all the same.
    const isBare = close < 0 && isQuoting && at - start >= 2 && bytes[start] === QUOTE && bytes[at - 1] === QUOTE // prettier-ignore
    cells.starts[cells.count] = isBare ? start + 1 : start
    cells.ends[cells.count] = isBare ? at - 1 : at
    cells.traits[cells.count++] = traits
    if (close >= 0) at = close
    if (at < length && bytes[at] === parting) at++
    else break
  }
  cells.next = at + (bytes[at] === RETURN && bytes[at + 1] === LINE_FEED ? 2 : 1)
}

function quotedTrait(byte: number): number {
  return byte < 0x20 ? CONTROL : (QUOTED[byte] as number)
}

/** @returns where a quoted cell ends, -1 when the cell is none: then its quotation marks are its own. */
function closeQuote(bytes: Buffer, start: number, parting: number): number {
  for (let at = bytes.indexOf(QUOTE, start + 1); at >= 0; at = bytes.indexOf(QUOTE, at + 2)) {
    const next = bytes[at + 1]
    if (next === QUOTE) continue
    const isEnd = next === undefined || next === parting || next === LINE_FEED || next === RETURN
    return isEnd ? at + 1 : -1
  }
  return -1
}

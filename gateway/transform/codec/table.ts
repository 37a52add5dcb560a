/** A table on its way through the CSV codec: its columns, and what its records are to the sink. @module */
import { CSV_DEFAULT, type CsvDialect, type CsvSection } from '../../policy/body.ts'
import type { Problem } from '../../../base/problem.ts'
import type { Program, Spelling } from '../program.ts'
import { spanText } from '../source.ts'
import type { BodySink } from './codec.ts'
import { type ColumnFate, fateOf } from './column.ts'
import { textOfJson } from './form.ts'
import { type Cut, cellText, type CutMarks, marksOf, newCut, writeCell } from './record.ts'
import { badRow } from './row.ts'
import { addAmount, startTotals, type Totals } from './totals.ts'

/** Everything that is known of a table on the way. */
export interface Table {
  readonly dialect: CsvDialect
  readonly program: Program
  readonly marks: CutMarks
  readonly cut: Cut
  readonly totals: Totals
  /** What comes next. */
  stage: 'start' | 'head' | 'names' | 'rows' | 'trailer'
  /** The columns of the rows, and what becomes of each: undefined when all places stay. */
  columns: readonly string[]
  fates: readonly ColumnFate[] | undefined
  /** The places of those that stay. */
  staying: readonly number[]
  /** The names that apply to the record at hand, their numbers, and the place of the cell at hand in it. */
  names: readonly string[]
  symbols: readonly number[]
  column: number
  /** How long the line break is that follows on the record read last. */
  gap: number
  /** Whether rows are reported; undefined before the first. */
  reported: boolean | undefined
  /** The cells of the head, until they can be checked. */
  head: readonly string[] | undefined
}

/** The members of a table that has more than rows; a name's place stands for its span. */
const SECTIONS = ['rows', 'head', 'trailer'] as const
type Section = (typeof SECTIONS)[number]
const QUOTE = 0x22

/** Starts a table. */
export function startTable(program: Program, dialect: CsvDialect = CSV_DEFAULT): Table {
  const { delimiter, quote, columns = [], head, trailer } = dialect
  const marks = marksOf(delimiter.charCodeAt(0), quote === 'double')
  // prettier-ignore
  return {
    dialect, program, marks, cut: newCut(), totals: startTotals(head, trailer), stage: 'start', columns,
    fates: undefined, staying: [], names: [], symbols: [], column: -1, gap: 0, reported: undefined, head: undefined,
  }
}

/** Whether the table is an object of sections. */
export function isSectioned({ head, trailer }: CsvDialect): boolean {
  return head !== undefined || trailer !== undefined
}

/** The columns that rows leave with, once they are known. */
export function visibleColumns({ stage, columns, fates, dialect }: Table) {
  if (dialect.columns !== undefined) return dialect.columns
  if (stage === 'start' || stage === 'head' || stage === 'names') return undefined
  return columns.flatMap((name, index) => {
    const fate = fates?.[index]
    return fate?.stays === true ? [fate.rename ?? name] : []
  })
}

/** How a table spells names and values. */
export function spellingOf(table: Table): Spelling {
  const { marks } = table
  const write = (text: string) => writeCell(text, marks)
  return {
    nameQuote: 0,
    readName: (_source, start) =>
      (start < 0 ? SECTIONS[-1 - start] : table.names[table.column]) ?? '',
    readScalar: (source, _type, start, end) =>
      cellText(spanText(source, start, end), marks.isQuoting),
    toJson: (source, start, end, isContainer) =>
      isContainer
        ? JSON.stringify(spanText(source, start + 1, end))
        : JSON.stringify(cellText(spanText(source, start, end), marks.isQuoting)),
    // The name stands above the rows, and is written there.
    writeName: () => '',
    writeText: write,
    tokenQuote: '',
    writeJson: (json) => write(textOfJson(json)),
    placeholder: () =>
      table.names === table.columns && table.fates?.[table.column]?.stays === false
        ? undefined
        : '',
  }
}

/** Reads the record of names; those of columns that go, go with them. */
export function readNames(table: Table, sink: BodySink, bytes: Buffer): void {
  const { cut, marks, program, dialect } = table
  const names = textsOf(table, bytes)
  if (new Set(names).size < names.length) throw badRow('the row of names', 'a name stands twice')
  const lacking = table.totals.sums.find(({ column }) => !names.includes(column))
  if (lacking !== undefined) throw badRow('the row of names', `expected \`${lacking.column}\`, which is summed up`) // prettier-ignore
  const under = isSectioned(dialect) ? ['rows'] : []
  const fates = names.map((name) => fateOf(program, under, name))
  table.columns = names
  table.fates = fates
  table.staying = fates.flatMap(({ stays }, index) => (stays ? [index] : []))
  // What parts it from a head stays.
  sink.skip(cut.starts[0] as number, cut.starts[0] as number)
  let isFirst = true
  for (const [index, { stays, rename }] of fates.entries()) {
    const [start, end] = [cut.starts[index] as number, cut.ends[index] as number]
    // The delimiter before a name goes with it; behind those that go before all others, the one behind.
    if (!stays) sink.omit(isFirst ? start : start - 1, isFirst ? Math.min(end + 1, cut.end) : end)
    else {
      sink.literal(isFirst ? start : start - 1, rename === undefined ? end : start)
      if (rename !== undefined) {
        sink.insert(writeCell(rename, marks))
        sink.omit(start, end)
      }
      isFirst = false
    }
  }
  if (isFirst) sink.omit(cut.end, cut.next)
  else sink.literal(cut.end, cut.next)
}

/** Reads a head or trailer. @returns its cells. */
// prettier-ignore
export function readSection(table: Table, sink: BodySink, name: Section, section: CsvSection, bytes: Buffer, at: number): readonly string[] {
  const { cut } = table
  if (cut.count !== section.columns.length)
    throw otherCount(table, section.columns.length, `the ${name}`)
  openSection(sink, name, false, at)
  setNames(table, section.columns)
  readCells(table, sink)
  sink.close(cut.end)
  return textsOf(table, bytes)
}

/** Reads a row. */
export function readRow(table: Table, sink: BodySink, bytes: Buffer, at: number): void {
  const { cut, totals, columns, marks } = table
  if (cut.count !== columns.length)
    throw otherCount(table, columns.length, `row ${totals.rows + 1}`)
  openRows(table, sink, at)
  if (table.names !== columns) setNames(table, columns)
  for (const sum of totals.sums) {
    const place = columns.indexOf(sum.column)
    const [start, end] = [cut.starts[place] as number, cut.ends[place] as number]
    const inside = marks.isQuoting && bytes[start] === QUOTE ? 1 : 0
    if (addAmount(sum, bytes, start + inside, end - inside)) continue
    table.column = place
    throw badRow(`row ${totals.rows + 1}, column ${place + 1}`, 'expected an amount')
  }
  if (table.reported === true) {
    sink.element(at)
    if (sink.open(false, at - 1)) readCells(table, sink)
    sink.close(cut.end)
  }
  totals.rows++
}

/** Opens the array of rows, once. */
export function openRows(table: Table, sink: BodySink, at: number): void {
  if (table.reported !== undefined) return
  table.reported = !isSectioned(table.dialect) || openSection(sink, 'rows', true, at)
}

// A name that stands nowhere in the body has the place of its section for a span.
function openSection(sink: BodySink, name: Section, isArray: boolean, at: number): boolean {
  const place = -1 - SECTIONS.indexOf(name)
  sink.member(at, 0, place, place, name)
  return sink.open(isArray, at - 1)
}

function setNames(table: Table, names: readonly string[]): void {
  const { symbols } = table.program.matcher.names
  table.names = names
  table.symbols = names.map((name) => symbols.get(name) ?? 0)
}

function readCells(table: Table, sink: BodySink): void {
  const { cut, names, symbols, fates } = table
  for (let index = 0; index < cut.count; index++) {
    const [start, end] = [cut.starts[index] as number, cut.ends[index] as number]
    table.column = index
    sink.column(start, symbols[index] as number)
    sink.scalar('string', start, end)
  }
  table.column = -1
  if (fates !== undefined && table.staying.length < 2 && names === table.columns)
    requireVisible(table)
}

/** A row of which nothing is left to see would be no row for its reader. */
function requireVisible({ cut, staying, totals }: Table): void {
  const [only = -1, ...others] = staying
  if (others.length === 0 && (cut.ends[only] ?? 0) === (cut.starts[only] ?? 0))
    throw badRow(`row ${totals.rows + 1}`, 'nothing in it may pass, so it would be an empty line')
}

function otherCount({ cut }: Table, expected: number, place: string): Problem {
  return badRow(place, `expected ${expected} columns, received ${cut.count}`)
}

function textsOf({ cut, marks }: Table, bytes: Buffer): string[] {
  return Array.from({ length: cut.count }, (_, index) =>
    cellText(bytes.toString('utf8', cut.starts[index], cut.ends[index]), marks.isQuoting),
  )
}

/**
 * CSV: a table is an array of objects, `$[*].name`; with a head or trailer record it is an object of
 * `head`, `rows` and `trailer`. @module
 */
import type { BodySink, OpenCodec, Reader } from './codec.ts'
import { countCells, cutRecord } from './record.ts'
import { badRow, inPlace, placeOfRow } from './row.ts'
import * as table from './table.ts'
import { checkTotals } from './totals.ts'

/** Reads a table. */
export const openCsv: OpenCodec = (format, program) => {
  const open = table.startTable(program, format.dialect?.csv)
  return {
    spelling: table.spellingOf(open),
    isText: true,
    read: (sink) => readTable(open, sink),
  }
}

function readTable(open: table.Table, sink: BodySink): Reader {
  const { dialect, cut, marks, totals } = open
  const reader: Reader = {
    offset: 0,
    paused: false,
    row: undefined,
    columns: () => table.visibleColumns(open),
    placeAt: (bytes, start, end) => {
      if (open.stage !== 'rows') return recordOf(open)
      return placeOfRow(totals.rows + 1, countCells(bytes.subarray(start + open.gap, end), marks))
    },
    advance(bytes, last, start, end) {
      reader.paused = false
      reader.row = undefined
      let before = start
      if (open.stage === 'start') {
        if (end - start < BYTE_ORDER_MARK.length && !last) return start
        before = begin(open, sink, bytes, start)
      }
      const at = before + open.gap
      if (at === end) {
        if (last) conclude(open, sink, before, end)
        return before
      }
      try {
        if (!cutRecord(cut, marks, bytes, at, end, last, reader.offset)) return before
        // The last record is the trailer: whether this one is shows only behind it.
        if (dialect.trailer !== undefined && cut.next === end && !last) return before
        if (cut.count === 1 && cut.ends[0] === at) throw badRow(recordOf(open), 'it is empty')
        open.gap = cut.next - cut.end
        readRecord(open, sink, bytes, { before, at, isLast: cut.next === end })
      } catch (error) {
        throw inPlace(error, placeOf(open))
      }
      if (open.stage === 'rows' && totals.rows > 0) reader.row = { start: at, end: cut.end }
      reader.paused = true
      return cut.next - open.gap
    },
  }
  sink.open(!table.isSectioned(dialect), -1)
  return reader
}

/** Where a record stands, and where the one before ended. */
interface Place {
  readonly before: number
  readonly at: number
  readonly isLast: boolean
}

const BYTE_ORDER_MARK = Buffer.from('\ufeff')

/** A byte order mark is no part of the first name. */
function begin(open: table.Table, sink: BodySink, bytes: Buffer, start: number): number {
  const { head, columns } = open.dialect
  open.stage = head !== undefined ? 'head' : columns === undefined ? 'names' : 'rows'
  const end = start + BYTE_ORDER_MARK.length
  if (!bytes.subarray(start, end).equals(BYTE_ORDER_MARK)) return start
  sink.literal(start, end)
  return end
}

function readRecord(open: table.Table, sink: BodySink, bytes: Buffer, place: Place): void {
  const { head, trailer, columns } = open.dialect
  const { before, at, isLast } = place
  if (open.stage === 'head' && head !== undefined) {
    open.head = table.readSection(open, sink, 'head', head, bytes, at)
    open.stage = columns === undefined ? 'names' : 'rows'
  } else if (open.stage === 'names') {
    table.readNames(open, sink, bytes)
    open.stage = 'rows'
    // Its line break is a part of it.
    open.gap = 0
  } else if (isLast && trailer !== undefined) {
    closeRows(open, sink, before)
    open.stage = 'trailer'
    const cells = table.readSection(open, sink, 'trailer', trailer, bytes, at)
    checkTotals(open.totals, 'the trailer', trailer, cells)
  } else table.readRow(open, sink, bytes, at)
}

function closeRows(open: table.Table, sink: BodySink, at: number): void {
  table.openRows(open, sink, at)
  if (table.isSectioned(open.dialect)) sink.close(at)
}

function conclude(open: table.Table, sink: BodySink, at: number, end: number): void {
  const { stage, dialect } = open
  if (stage === 'head' || stage === 'names') throw badRow(recordOf(open), 'it is missing')
  if (stage === 'rows') {
    if (dialect.trailer !== undefined) throw badRow('the trailer', 'it is missing')
    closeRows(open, sink, at)
  }
  if (dialect.head !== undefined)
    checkTotals(open.totals, 'the head', dialect.head, open.head ?? [])
  sink.close(end)
}

function placeOf(open: table.Table): string {
  const { stage, column, cut, totals } = open
  if (stage !== 'rows') return recordOf(open)
  return placeOfRow(totals.rows + 1, (column < 0 ? cut.count : column) + 1)
}

function recordOf({ stage, totals }: table.Table): string {
  if (stage === 'rows') return placeOfRow(totals.rows + 1)
  return stage === 'names' ? 'the row of names' : `the ${stage}`
}

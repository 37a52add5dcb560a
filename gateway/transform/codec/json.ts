/** JSON (RFC 8259) and NDJSON: values and names are spelled as JSON. @module */
import { advance, restart, startScan } from '../../../base/json-scan.ts'
import { decodeString } from '../../../base/json-token.ts'
import type { Spelling } from '../program.ts'
import { asciiText, SHORT_BYTES_MAX, type Source, spanText } from '../source.ts'
import type { BodySink, Codec, Reader } from './codec.ts'
import { inPlace, placeOfRow } from './row.ts'

const BACKSLASH = 0x5c

/** One look at short strings tells whether they can be cut out as they stand. */
function readString(source: Source, start: number, end: number): string {
  const { bytes } = source
  if (end - start > SHORT_BYTES_MAX) return decodeString(bytes, start, end)
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte > 0x7f || byte === BACKSLASH) return decodeString(bytes, start, end)
  }
  return asciiText(source, start, end)
}

const JSON_SPELLING: Spelling = {
  nameQuote: 1,
  readName: readString,
  readScalar: (source, type, start, end) =>
    type === 'string' ? readString(source, start + 1, end - 1) : spanText(source, start, end),
  toJson: spanText,
  writeName: JSON.stringify,
  writeText: JSON.stringify,
  tokenQuote: '"',
  writeJson: (json) => json,
}

/** Reads one document. */
export const openJson = (): Codec => ({
  spelling: JSON_SPELLING,
  isText: true,
  read(sink, resumable) {
    const scan = startScan(sink, resumable)
    // No accessors: V8 makes a hidden class for each pair, and it holds on to the whole document.
    const reader: Reader = {
      offset: 0,
      paused: false,
      row: undefined,
      advance(bytes, last, start, end) {
        scan.offset = reader.offset
        return advance(scan, bytes, last, start, end)
      },
    }
    return reader
  },
})

/** Reads one document a line, as if they were the elements of an array. */
export const openLines = (): Codec => ({
  spelling: JSON_SPELLING,
  isText: true,
  read: readLines,
})

const LINE_FEED = 0x0a

function readLines(sink: BodySink): Reader {
  sink.open(true, -1)
  const scan = startScan(sink, false)
  let rows = 0
  const reader: Reader = {
    offset: 0,
    paused: false,
    row: undefined,
    placeAt: () => placeOfRow(rows + 1),
    advance(bytes, last, start, end) {
      const next = bytes.indexOf(LINE_FEED, start)
      const cutOff = next < 0 || next >= end
      reader.paused = (start < end && last) || !cutOff
      if (!reader.paused) {
        if (last) sink.close(end)
        return start
      }
      const lineEnd = cutOff ? end : next
      restart(scan, reader.offset)
      try {
        sink.element(start)
        advance(scan, bytes, true, start, lineEnd)
      } catch (error) {
        throw inPlace(error, placeOfRow(rows + 1))
      }
      rows++
      reader.row = { start, end: lineEnd }
      return cutOff ? end : next + 1
    },
  }
  return reader
}

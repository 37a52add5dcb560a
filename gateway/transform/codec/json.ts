/** JSON (RFC 8259) and NDJSON: values and names are spelled as JSON. @module */
import { advance, startScan } from '../../../base/json-scan.ts'
import type { Rewriter } from '../engine.ts'
import type { Spelling } from '../program.ts'
import { type Source, spanText } from '../source.ts'
import type { Codec, Reader } from './codec.ts'

const readString = (source: Source, start: number, end: number): string => {
  const text = spanText(source, start, end)
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
}

const JSON_SPELLING: Spelling = {
  nameQuote: 1,
  readName: readString,
  readScalar: (source, type, start, end) =>
    type === 'string' ? readString(source, start + 1, end - 1) : spanText(source, start, end),
  toJson: spanText,
  writeName: JSON.stringify,
  writeText: JSON.stringify,
  writeJson: (json) => json,
}

/** Reads one document. */
export const openJson = (): Codec => ({
  spelling: JSON_SPELLING,
  isText: true,
  read(rewriter, resumable) {
    const scan = startScan(rewriter, resumable)
    // No accessors: V8 makes a hidden class for each pair, and it holds on to the whole document.
    const reader: Reader = {
      offset: 0,
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

function readLines(rewriter: Rewriter): Reader {
  rewriter.open(true, -1)
  let begun = false
  const reader: Reader = {
    offset: 0,
    row: undefined,
    advance(bytes, last, start, end) {
      reader.row = undefined
      // What was read last ended before its line feed.
      const at = begun && start < end ? start + 1 : start
      const next = bytes.indexOf(LINE_FEED, at)
      const cutOff = next < 0 || next >= end
      if (cutOff && !last) return start
      if (at === end) {
        rewriter.close(end)
        return end
      }
      const lineEnd = cutOff ? end : next
      const scan = startScan(rewriter, false)
      scan.offset = reader.offset
      rewriter.element(at)
      advance(scan, bytes, true, at, lineEnd)
      begun = true
      reader.row = { start: at, end: lineEnd }
      return lineEnd
    },
  }
  return reader
}

/** JSON (RFC 8259) as the engine's first codec. @module */
import { advance, requireUtf8, scanJson, startScan } from '../../base/json-scan.ts'
import { startRewrite } from './engine.ts'
import type { Codec, Spelling } from './program.ts'
import { type Source, spanText } from './source.ts'

/** Reads one document; values and names are spelled as JSON. */
export const jsonCodec: Codec = (program, bytes, replay) => {
  const rewriter = startRewrite(program, JSON_SPELLING, bytes, replay)
  scanJson(bytes, rewriter)
  return rewriter
}

const readString = (source: Source, start: number, end: number): string => {
  const text = spanText(source, start, end)
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
}

/** How JSON spells names and values. */
export const JSON_SPELLING: Spelling = {
  nameQuote: 1,
  readName: readString,
  readScalar: (source, type, start, end) =>
    type === 'string' ? readString(source, start + 1, end - 1) : spanText(source, start, end),
  toJson: spanText,
  writeName: JSON.stringify,
  writeText: JSON.stringify,
  writeJson: (json) => json,
}

/** Reads NDJSON (one document a line) as if it were an array of its documents. */
export const ndjsonCodec: Codec = (program, bytes, replay) => {
  requireUtf8(bytes, 0)
  const rewriter = startRewrite(program, JSON_SPELLING, bytes, replay)
  rewriter.open(true, -1)
  for (let at = 0; at < bytes.length;) {
    const next = bytes.indexOf(LINE_FEED, at)
    const end = next < 0 ? bytes.length : next
    rewriter.element(at)
    advance(startScan(rewriter, false), bytes, true, at, end)
    at = end + 1
  }
  rewriter.close(bytes.length)
  return rewriter
}

const LINE_FEED = 0x0a

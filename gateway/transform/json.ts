/** JSON (RFC 8259) as the engine's first codec. @module */
import { scanJson } from '../../base/json-scan.ts'
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

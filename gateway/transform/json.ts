/** JSON (RFC 8259) as the engine's first codec. @module */
import { decodeString, sourceText } from '../../base/json-token.ts'
import { scanJson } from '../../base/json-scan.ts'
import { startRewrite } from './engine.ts'
import type { Codec, Spelling } from './program.ts'

/** Reads one document; values and names are spelled as JSON. */
export const jsonCodec: Codec = (program, bytes, replay) => {
  const rewriter = startRewrite(program, JSON_SPELLING, bytes, replay)
  scanJson(bytes, rewriter)
  return rewriter
}

/** How JSON spells names and values. */
const JSON_SPELLING = {
  nameQuote: 1,
  readName: decodeString,
  readScalar: (bytes, type, start, end) =>
    type === 'string' ? decodeString(bytes, start + 1, end - 1) : sourceText(bytes, start, end),
  toJson: sourceText,
  writeName: JSON.stringify,
  writeText: JSON.stringify,
  writeJson: (json) => json,
} satisfies Spelling

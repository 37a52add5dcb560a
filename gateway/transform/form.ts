/**
 * application/x-www-form-urlencoded (WHATWG URL §5), for queries and forms: one object of strings.
 * What two parsers could read in two ways is refused. @module
 */
import { hashName } from '../../base/json-token.ts'
import { Problem, type ProblemSlug } from '../../base/problem.ts'
import { startRewrite } from './engine.ts'
import type { Codec, Spelling } from './program.ts'
import { spanText } from './source.ts'

const AMPERSAND = 0x26
const EQUALS = 0x3d

/** Reads a form; `slug` is the problem that a malformed one is. */
export function formCodec(slug: ProblemSlug): Codec {
  return (program, bytes, replay) => {
    const rewriter = startRewrite(program, FORM_SPELLING, bytes, replay)
    rewriter.open(false, -1)
    const names = new Set<string>()
    for (let at = 0; at < bytes.length || names.size > 0;) {
      const next = bytes.indexOf(AMPERSAND, at)
      const end = next < 0 ? bytes.length : next
      const equals = bytes.indexOf(EQUALS, at)
      if (equals < 0 || equals > end)
        throw new Problem(slug, `at byte ${at}: expected \`name=value\``)
      requireReadable(bytes, at, end, slug)
      const name = decode(bytes.toString('latin1', at, equals))
      if (names.size === names.add(name).size) {
        throw new Problem(slug, `at byte ${at}: the form has this name twice`)
      }
      rewriter.member(at, hashName(name), at, equals, name)
      rewriter.scalar('string', equals + 1, end)
      if (next < 0) break
      at = end + 1
    }
    rewriter.close(bytes.length)
    return rewriter
  }
}

/** @throws {Problem} unless the span is visible ASCII in which `%` starts an escape of UTF-8. */
function requireReadable(bytes: Buffer, start: number, end: number, slug: ProblemSlug): void {
  const source = bytes.toString('latin1', start, end)
  const wrong = /[^\x21-\x7e]/.exec(source)
  if (wrong !== null)
    throw new Problem(slug, `at byte ${start + wrong.index}: expected visible ASCII`)
  try {
    decodeURIComponent(source)
  } catch (cause) {
    throw new Problem(slug, `at byte ${start}: expected escapes of UTF-8`, { cause })
  }
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}

/** Percent-encodes a text. */
export function encodeText(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

/** The characters of a JSON string; the source text of any other JSON value. */
export function textOfJson(json: string): string {
  return json.startsWith('"') ? (JSON.parse(json) as string) : json
}

const FORM_SPELLING: Spelling = {
  nameQuote: 0,
  readName: (source, start, end) => decode(spanText(source, start, end)),
  readScalar: (source, _type, start, end) => decode(spanText(source, start, end)),
  toJson: (source, start, end) => JSON.stringify(decode(spanText(source, start, end))),
  writeName: encodeText,
  writeText: encodeText,
  writeJson: (json) => encodeText(textOfJson(json)),
}

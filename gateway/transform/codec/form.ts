/**
 * application/x-www-form-urlencoded (WHATWG URL §5), for queries and forms: one object of strings.
 * What two parsers could read in two ways is refused. @module
 */
import { hashName } from '../../../base/json-token.ts'
import { MEMBERS_MAX } from '../../../base/json-scan.ts'
import { Problem, type ProblemSlug } from '../../../base/problem.ts'
import type { Spelling } from '../program.ts'
import { spanText } from '../source.ts'
import type { BodySink, OpenCodec, Reader } from './codec.ts'

const AMPERSAND = 0x26
const EQUALS = 0x3d

/** Reads a form. */
export const openForm: OpenCodec = (_format, _program, slug) => ({
  spelling: FORM_SPELLING,
  isText: false,
  read: (sink) => readForm(sink, slug),
})

function readForm(sink: BodySink, slug: ProblemSlug): Reader {
  const names = new Set<string>()
  sink.open(false, -1)
  const reader: Reader = {
    offset: 0,
    paused: false,
    row: undefined,
    advance(bytes, last, start, end) {
      let settled = start
      while (settled < end) {
        // What was read last ended before its ampersand.
        const at = names.size > 0 ? settled + 1 : settled
        const next = bytes.indexOf(AMPERSAND, at)
        const cutOff = next < 0 || next >= end
        if (cutOff && !last) return settled
        settled = cutOff ? end : next
        readPair(bytes, at, settled)
      }
      if (last) sink.close(end)
      return settled
    },
  }
  function readPair(bytes: Buffer, at: number, end: number): void {
    const equals = bytes.indexOf(EQUALS, at)
    const place = reader.offset + at
    if (equals < 0 || equals >= end)
      throw new Problem(slug, `at byte ${place}: expected \`name=value\``)
    requireReadable(bytes, at, end, place, slug)
    const name = decode(bytes.toString('latin1', at, equals))
    if (names.size === MEMBERS_MAX)
      throw new Problem('body-too-large', `the form has over ${MEMBERS_MAX} members`)
    if (names.size === names.add(name).size)
      throw new Problem(slug, `at byte ${place}: the form has this name twice`)
    sink.member(at, hashName(name), at, equals, name)
    sink.scalar('string', equals + 1, end)
  }
  return reader
}

/** @throws {Problem} unless the span is visible ASCII in which `%` starts an escape of UTF-8. */
// prettier-ignore
function requireReadable(bytes: Buffer, start: number, end: number, place: number, slug: ProblemSlug): void {
  const source = bytes.toString('latin1', start, end)
  const wrong = /[^\x21-\x7e]/.exec(source)
  if (wrong !== null)
    throw new Problem(slug, `at byte ${place + wrong.index}: expected visible ASCII`)
  try {
    decodeURIComponent(source)
  } catch (cause) {
    throw new Problem(slug, `at byte ${place}: expected escapes of UTF-8`, { cause })
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
  tokenQuote: '',
  writeJson: (json) => encodeText(textOfJson(json)),
}

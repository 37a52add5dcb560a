/** The tokens of XML 1.0, as spans of bytes: no document type, no entities of one's own. @module */
import { malformed } from '../../../base/json-token.ts'
import { Problem } from '../../../base/problem.ts'

/** An attribute; its value's span includes the quotes. */
export interface Attribute {
  /** Where the white space before it starts. */
  readonly lead: number
  readonly nameStart: number
  readonly nameEnd: number
  readonly name: string
  readonly valueStart: number
  readonly valueEnd: number
}

/** A start tag. */
export interface StartTag {
  readonly name: string
  readonly nameEnd: number
  readonly attributes: readonly Attribute[]
  /** Where its `>` or `/>` stands, and what follows. */
  readonly closeStart: number
  readonly end: number
  readonly isEmpty: boolean
}

const LESS = 0x3c
const GREATER = 0x3e
const SLASH = 0x2f
const QUOTE = 0x22
const APOSTROPHE = 0x27
const NONE: readonly Attribute[] = []
/** A name that is no more than letters, digits, `_`, `-`, `.` and one colon; others stand for nobody's schema. */
const NAME = /^(?:[\p{L}_][\p{L}\p{N}_.·-]*:)?[\p{L}_][\p{L}\p{N}_.·-]*$/u

/** What names in ASCII without a colon begin with and go on with: most names. */
const IS_FIRST = new Uint8Array(256).map((_, byte) =>
  Number(/[A-Za-z_]/.test(String.fromCharCode(byte))),
)
const IS_NEXT = new Uint8Array(256).map((_, byte) =>
  Number(/[\w.-]/.test(String.fromCharCode(byte))),
)

/** @returns where the tag that starts at `at` ends, behind its `>`; -1 when it is not all there. */
export function tagEnd(bytes: Buffer, at: number, end: number): number {
  let quote = 0
  for (let place = at + 1; place < end; place++) {
    const byte = bytes[place]
    if (quote !== 0) {
      if (byte === quote) quote = 0
    } else if (byte === QUOTE || byte === APOSTROPHE) quote = byte
    else if (byte === GREATER) return place + 1
  }
  return -1
}

/** Reads the start tag between `at` and `end`. `offset`: bytes before the buffer. */
export function readStartTag(bytes: Buffer, at: number, end: number, offset: number): StartTag {
  const isEmpty = bytes[end - 2] === SLASH
  const closeStart = isEmpty ? end - 2 : end - 1
  const nameEnd = wordEnd(bytes, at + 1, closeStart)
  const name = nameAt(bytes, at + 1, nameEnd, offset)
  if (nameEnd === closeStart) return { name, nameEnd, attributes: NONE, closeStart, end, isEmpty }
  const attributes: Attribute[] = []
  const names = new Set<string>()
  for (let place = nameEnd; ;) {
    const nameStart = skipBlanks(bytes, place, closeStart)
    if (nameStart === closeStart) break
    if (nameStart === place) throw malformed(offset + place, 'expected a blank before an attribute')
    const attribute = readAttribute(bytes, place, nameStart, closeStart, offset)
    if (names.size === names.add(attribute.name).size)
      throw malformed(offset + nameStart, 'the element has this attribute twice')
    attributes.push(attribute)
    place = attribute.valueEnd
  }
  return { name, nameEnd, attributes, closeStart, end, isEmpty }
}

// prettier-ignore
function readAttribute(bytes: Buffer, lead: number, nameStart: number, end: number, offset: number): Attribute {
  const nameEnd = wordEnd(bytes, nameStart, end)
  const name = nameAt(bytes, nameStart, nameEnd, offset)
  const equals = skipBlanks(bytes, nameEnd, end)
  const valueStart = skipBlanks(bytes, equals + 1, end)
  const quote = bytes[valueStart] ?? 0
  if (bytes[equals] !== 0x3d || (quote !== QUOTE && quote !== APOSTROPHE))
    throw malformed(offset + nameStart, 'expected `name="value"`')
  const close = bytes.indexOf(quote, valueStart + 1)
  requireText(bytes, valueStart + 1, close, offset)
  if (bytes.subarray(valueStart, close).includes(LESS))
    throw malformed(offset + valueStart, 'a `<` in an attribute')
  return { lead, nameStart, nameEnd, name, valueStart, valueEnd: close + 1 }
}

/** @throws {Problem} unless the span is text that every parser reads alike (XML 1.0 §2.2, §4.1). */
export function requireText(bytes: Buffer, start: number, end: number, offset: number): void {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte === 0x26) requireReference(bytes, at, end, offset)
    else if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)
      throw malformed(offset + at, 'a control character')
    else if (byte === 0x5d && bytes[at + 1] === 0x5d && bytes[at + 2] === GREATER && at + 2 < end)
      throw malformed(offset + at, '`]]>` in text')
  }
}

const REFERENCE = /^&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-fA-F]{1,6});/
const REFERENCE_BYTES_MAX = 10

function requireReference(bytes: Buffer, at: number, end: number, offset: number): void {
  const text = bytes.toString('latin1', at, Math.min(end, at + REFERENCE_BYTES_MAX))
  const [reference] = REFERENCE.exec(text) ?? []
  const isCharacter =
    reference !== undefined &&
    /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]$/u.test(decodeReference(reference))
  if (!isCharacter) throw malformed(offset + at, 'an entity that XML does not define')
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&apos;', "'"],
])

function decodeReference(reference: string): string {
  const named = NAMED.get(reference)
  if (named !== undefined) return named
  const isHex = reference[2] === 'x'
  const code = Number.parseInt(reference.slice(isHex ? 3 : 2, -1), isHex ? 16 : 10)
  return code > 0x10ffff ? '' : String.fromCodePoint(code)
}

/** Decodes text that was checked before; CDATA sections are taken as they stand. */
export function decodeText(source: string): string {
  if (!/[&<\r]/.test(source)) return source
  return source
    .split(/<!\[CDATA\[([\s\S]*?)\]\]>/)
    .map((piece, index) =>
      index % 2 === 1
        ? piece
        : piece.replace(/&[^;]+;/g, (reference) => decodeReference(reference)),
    )
    .join('')
    .replaceAll('\r\n', '\n')
}

/** Writes text so that it is none of XML's. @throws {Problem} `value-unsuitable` */
export function encodeMarkup(text: string): string {
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text))
    throw new Problem('value-unsuitable', 'a new value has a character that XML lacks')
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;')
}

/** @returns the first position from `start` on that is no white space. */
export function skipBlanks(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end) {
    const byte = bytes[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
    at++
  }
  return at
}

function wordEnd(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end) {
    const byte = bytes[at] as number
    if (byte <= 0x20 || byte === 0x3d || byte === SLASH) break
    at++
  }
  return at
}

function nameAt(bytes: Buffer, start: number, end: number, offset: number): string {
  let at = start
  if (start < end && IS_FIRST[bytes[start] as number] === 1) at++
  while (at > start && at < end && IS_NEXT[bytes[at] as number] === 1) at++
  const isPlain = start < end && at === end
  const name = isPlain ? bytes.toString('latin1', start, end) : bytes.toString('utf8', start, end)
  if (isPlain || NAME.test(name)) return name
  throw malformed(offset + start, 'expected a name')
}

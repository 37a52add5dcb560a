/** The tokens of JSON (RFC 8259 §6, §7) as spans of bytes. @module */
import { Problem } from './problem.ts'

export type ScalarType = 'string' | 'number' | 'boolean' | 'null'

const QUOTE = 0x22
const PLUS = 0x2b
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const BACKSLASH = 0x5c
const LETTER_A = 0x61
const LETTER_F = 0x66
const LETTER_U = 0x75
/** What may follow a backslash besides `u`. */
const ESCAPES = Buffer.from('"\\\\/bfnrt')

/** What a hash of a name starts from, and what it is multiplied by for each byte (FNV-1a). */
export const HASH_START = 0x811c9dc5 | 0
/** See HASH_START. */
export const HASH_FACTOR = 0x01000193

/** The hash of a decoded name's UTF-8 bytes, for looking names up without decoding them. */
export function hashName(name: string): number {
  let hash = HASH_START
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, HASH_FACTOR)
  return hash
}

/** A problem at a place; `at` counts bytes from the start of the document. */
export function malformed(at: number, reason: string): Problem {
  return new Problem('body-malformed', `at byte ${at}: ${reason}`)
}

/** Decodes what stands between the quotes of a string that was scanned before. */
export function decodeString(bytes: Buffer, start: number, end: number): string {
  const source = bytes.toString('utf8', start, end)
  return source.includes('\\') ? (JSON.parse(`"${source}"`) as string) : source
}

/** @returns the first position from `at` on that is not white space (RFC 8259 §2), at most `end`. */
export function skipSpace(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end) {
    const byte = bytes[at] as number
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
    at++
  }
  return at
}

/** @returns where the scalar at `at` ends, -1 if it may go on behind `end`. */
export function scalarEnd(
  bytes: Buffer,
  at: number,
  end: number,
  last: boolean,
  offset: number,
): number {
  const byte = bytes[at] as number
  if (byte === QUOTE) return stringEnd(bytes, at + 1, end, offset)
  if (byte === MINUS || (byte >= ZERO && byte <= NINE))
    return numberEnd(bytes, at, end, last, offset)
  const word = byte === 0x74 ? 'true' : byte === 0x66 ? 'false' : byte === 0x6e ? 'null' : ''
  for (let i = 0; i < word.length; i++) {
    if (at + i === end) return -1
    if (bytes[at + i] !== word.charCodeAt(i)) throw malformed(offset + at, 'expected a value')
  }
  if (word === '') throw malformed(offset + at, 'expected a value')
  return at + word.length
}

/** The type of the scalar that starts with this byte. */
export function typeOf(byte: number): ScalarType {
  if (byte === QUOTE) return 'string'
  if (byte <= NINE) return 'number'
  return byte === 0x6e ? 'null' : 'boolean'
}

/** 1 for bytes that stand for themselves in a string. */
export const IS_PLAIN = new Uint8Array(256).map((_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 0 : 1,
)

/** @param at inside the string. @returns the position after the closing quote, -1 if cut off. */
export function stringEnd(bytes: Buffer, at: number, end: number, offset: number): number {
  while (at < end) {
    const byte = bytes[at] as number
    if (IS_PLAIN[byte] === 1) at++
    else if (byte === QUOTE) return at + 1
    else if (byte !== BACKSLASH) throw malformed(offset + at, 'a control character must be escaped')
    else {
      at = escapeEnd(bytes, at, end, offset)
      if (at < 0) return -1
    }
  }
  return -1
}

/** @returns the position after one escape, or after a surrogate pair (RFC 8259 §7); -1 if cut off. */
function escapeEnd(bytes: Buffer, at: number, end: number, offset: number): number {
  if (at + 1 >= end) return -1
  if (bytes[at + 1] !== LETTER_U) {
    if (!ESCAPES.includes(bytes[at + 1] as number)) throw malformed(offset + at, 'unknown escape')
    return at + 2
  }
  const unit = hexUnit(bytes, at + 2, end, offset)
  if (unit < 0) return -1
  if (unit < 0xd800 || unit > 0xdfff) return at + 6
  if (unit > 0xdbff) throw malformed(offset + at, 'a low surrogate stands alone')
  for (let place = at + 6; place < at + 8; place++) {
    if (place >= end) return -1
    if (bytes[place] !== (place === at + 6 ? BACKSLASH : LETTER_U)) throw aloneHigh(offset + at)
  }
  const low = hexUnit(bytes, at + 8, end, offset)
  if (low < 0) return -1
  if (low < 0xdc00 || low > 0xdfff) throw aloneHigh(offset + at)
  return at + 12
}

function aloneHigh(at: number): Problem {
  return malformed(at, 'a high surrogate stands alone')
}

function hexUnit(bytes: Buffer, start: number, end: number, offset: number): number {
  let unit = 0
  for (let at = start; at < start + 4; at++) {
    if (at >= end) return -1
    const byte = bytes[at] as number
    const letter = byte | 0x20
    if (byte >= ZERO && byte <= NINE) unit = unit * 16 + byte - ZERO
    else if (letter >= LETTER_A && letter <= LETTER_F) unit = unit * 16 + letter - LETTER_A + 10
    else throw malformed(offset + start - 2, 'expected four hexadecimal digits')
  }
  return unit
}

/** @returns where the number ends (RFC 8259 §6), -1 if it may go on behind `end`. */
function numberEnd(
  bytes: Buffer,
  start: number,
  end: number,
  last: boolean,
  offset: number,
): number {
  let at = bytes[start] === MINUS ? start + 1 : start
  const whole = at
  at = digitsEnd(bytes, at, end)
  let wrong = at === whole || (bytes[whole] === ZERO && at > whole + 1)
  if (bytes[at] === POINT && at < end) {
    const fraction = at + 1
    at = digitsEnd(bytes, fraction, end)
    wrong ||= at === fraction
  }
  if (at < end && ((bytes[at] as number) | 0x20) === 0x65) {
    const sign = bytes[at + 1]
    const exponent = sign === PLUS || sign === MINUS ? at + 2 : at + 1
    at = digitsEnd(bytes, exponent, end)
    wrong ||= at <= exponent
  }
  if (at >= end && !last) return -1
  if (wrong) throw malformed(offset + start, 'a number is not in the form of RFC 8259')
  return at
}

function digitsEnd(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++
  return at
}

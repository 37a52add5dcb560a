/** Which values deserve a closer look, judged from their bytes: cheap, and never too narrow. @module */
import type { Name } from './names.ts'

/** Traits of a byte, or-ed together over a value: a digit. */
export const DIGIT = 1
const UPPER = 2
const LOWER = 4
const HIGH = 8
/** Bytes that an address, an encoding or a Hong Kong identity number needs. */
const MARK = 16
const COLON = 32
const SPACE = 64
/** `.` and `-` part addresses. */
export const DOT = 128

/** Ends a string. */
export const QUOTE = 256
/** Ends a bare scalar. */
export const END = 512
/** Takes the next byte along. */
export const ESCAPE = 1024

/** Traits by byte. */
export const TRAITS = new Uint16Array(256).map((_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return DIGIT
  if (byte >= 0x41 && byte <= 0x5a) return UPPER
  if (byte >= 0x61 && byte <= 0x7a) return LOWER
  if (byte >= 0x80) return HIGH
  const character = String.fromCharCode(byte)
  if (character === '"') return QUOTE | END
  if (character === '\\') return ESCAPE | MARK
  if (character === ' ') return SPACE | END
  if (character === ':') return COLON | END
  if (character === '.' || character === '-') return DOT
  const mark = '@%&{[=('.includes(character) ? MARK : 0
  return mark | (byte < 0x20 || ',[]{}'.includes(character) ? END : 0)
})

/** 客户张三: the shortest text with a name in it, where the member's name does not tell. */
const HAN_BYTES_MIN = 12
/** `cvv:123` */
const LABELLED_LENGTH_MIN = 6
/** So many digits may be a grouped number; fewer must stand together, or a word beside them tells. */
const DIGITS_GROUPED_MIN = 11
const DIGITS_MIN = 9
/** The shortest word that is an identifier by itself, or text in base64. */
const WORD_LENGTH_MIN = 8

/** Whether a value has what an identifier or an encoding needs at least; `dots` counts `.` and `-`. */
export function isSuspicious(bytes: Buffer, value: Surveyed): boolean {
  const { traits, digits, dots, start, end } = value
  const length = end - start
  if (
    digits >= DIGITS_GROUPED_MIN ||
    (traits & MARK) !== 0 ||
    (dots >= 3 && (digits >= 4 || dots >= 5)) ||
    ((traits & HIGH) !== 0 && (length >= HAN_BYTES_MIN || digits >= 2)) ||
    ((traits & COLON) !== 0 && length >= LABELLED_LENGTH_MIN) ||
    ((traits & SPACE) !== 0 && (traits & DIGIT) !== 0)
  ) {
    return true
  }
  const mixed = (traits & UPPER) !== 0 && (traits & (LOWER | DIGIT)) !== 0
  if (digits < DIGITS_MIN && !(mixed && length >= WORD_LENGTH_MIN)) return false
  return (
    (mixed && beginsText(bytes[start] ?? 0)) || longestWord(bytes, start, end) >= WORD_LENGTH_MIN
  )
}

/** A value's bytes, and what they hold. */
export interface Surveyed {
  readonly traits: number
  readonly digits: number
  readonly dots: number
  readonly start: number
  readonly end: number
}

/** Whether base64 that begins so may be text: see `BASE64_TEXT` in carriers.ts. */
function beginsText(byte: number): boolean {
  return (
    byte === 0x43 ||
    (byte >= 0x49 && byte !== 0x5f && !(byte >= 0x67 && byte <= 0x76)) ||
    byte <= 0x39
  )
}

function longestWord(bytes: Buffer, start: number, end: number): number {
  let longest = 0
  for (let at = start, from = start; at <= end; at++) {
    const inside = at < end && ((TRAITS[bytes[at] ?? 0] ?? 0) & (DIGIT | UPPER | LOWER)) !== 0
    if (inside) continue
    longest = Math.max(longest, at - from)
    from = at + 1
  }
  return longest
}

/** Whether a value that is not suspicious deserves a look for its member's name alone. */
export function isTelling(name: Name, bytes: Buffer, start: number, end: number): boolean {
  if (name.telling !== 1) return name.telling === 2
  return !isToken(bytes, start, end) && !isMasked(bytes, start, end)
}

/** `2026-11-24T02:00:00.123456789Z`: the commonest number that is nobody's. */
export function isTimestamp(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start
  if (length < 19 || length > 30 || bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d)
    return false
  if (bytes[start + 13] !== 0x3a || bytes[start + 16] !== 0x3a) return false
  const separator = bytes[start + 10]
  if (separator !== 0x54 && separator !== 0x20) return false
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0
    // Digits and `+ - . :`, and at fixed places T and Z.
    if (byte > 0x3a || byte < 0x2b || byte === 0x2c || byte === 0x2f) {
      if (at !== start + 10 && !(at === end - 1 && byte === 0x5a)) return false
    }
  }
  return true
}

/** `张**`: masked, and not suspicious so far. */
function isMasked(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === 0x2a) return true
  return false
}

const TOKEN_HEADS = ['tok_', 'psn_', 'enc_', 'vlt_', 'lnk_'].map((head) =>
  Buffer.from(head).readUInt32BE(),
)

/** Whether a value, not suspicious so far, is one of our tokens: the commonest value of a personal field. */
function isToken(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < 8 || !TOKEN_HEADS.includes(bytes.readUInt32BE(start))) return false
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0
    if (
      (TRAITS[byte] ?? 0) !== LOWER &&
      (TRAITS[byte] ?? 0) !== DIGIT &&
      byte !== 0x5f &&
      byte !== 0x2d
    )
      return false
  }
  return true
}

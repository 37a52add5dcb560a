/**
 * Visits the keys and scalars of serialized JSON that deserve a closer look. It trusts nothing and
 * never throws: bytes that are no JSON are visited as they come. @module
 */
import { NO_NAME, type Name, type Names } from './names.ts'

/** A key or scalar; offsets are bytes and exclude the quotes. */
export interface JsonValue {
  readonly start: number
  readonly end: number
  /** The member name that applies: an array's elements have the array's. */
  readonly name: Name
  /** Open brackets around it. */
  readonly depth: number
  readonly quoted: boolean
}

/** Traits of a byte, or-ed together over a value. */
const DIGIT = 1
const UPPER = 2
const LOWER = 4
const HIGH = 8
/** Bytes that an address, an encoding or a Hong Kong identity number needs. */
const MARK = 16
const COLON = 32
const SPACE = 64
/** `.` and `-` part addresses. */
const DOT = 128

const TRAITS = new Uint8Array(256).map((_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return DIGIT
  if (byte >= 0x41 && byte <= 0x5a) return UPPER
  if (byte >= 0x61 && byte <= 0x7a) return LOWER
  if (byte >= 0x80) return HIGH
  const character = String.fromCharCode(byte)
  if (character === ':') return COLON
  if (character === ' ') return SPACE
  if (character === '.' || character === '-') return DOT
  return '@\\%&{[=('.includes(character) ? MARK : 0
})

/** Bytes that end a bare scalar. */
const ENDS = new Uint8Array(256).map((_, byte) =>
  byte <= 0x20 || ',:[]{}"'.includes(String.fromCharCode(byte)) ? 1 : 0,
)

/** Fewer digits need a telling name, a bracket or a word beside them; an IPv4 address has its dots. */
const DIGITS_MIN = 9
const ENCODED_LENGTH_MIN = 8
const LABELLED_LENGTH_MIN = 6
const HAN_BYTES_MIN = 6

/** Visits suspicious values in document order. Linear in `bytes`. */
export function visitSuspicious(
  bytes: Buffer,
  names: Names,
  visit: (value: JsonValue) => void,
): void {
  const open: Name[] = [] // Per open bracket: the name to return to.
  let name = NO_NAME
  let at = 0
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0
    if (byte <= 0x20 || byte === 0x2c || byte === 0x3a) at++
    else if (byte === 0x7b || byte === 0x5b) {
      open.push(name)
      if (byte === 0x7b) name = NO_NAME
      at++
    } else if (byte === 0x7d || byte === 0x5d) {
      name = open.pop() ?? NO_NAME
      at++
    } else {
      const quoted = byte === 0x22
      const start = quoted ? at + 1 : at
      let traits = 0
      let digits = 0
      let dots = 0
      let end = start
      for (; end < bytes.length; end++) {
        const next = bytes[end] ?? 0
        if (quoted ? next === 0x22 : ENDS[next] === 1) break
        if (next === 0x5c) end++
        const trait = TRAITS[next] ?? 0
        traits |= trait
        digits += trait & DIGIT
        dots += trait >> 7
      }
      at = quoted ? end + 1 : end
      if (quoted && colonFollows(bytes, at)) {
        name = names.at(bytes, start, end)
        if (!name.clean) visit({ start, end, name: NO_NAME, depth: open.length, quoted })
        continue
      }
      const suspicious = isSuspicious(traits, digits, dots, end - start)
      if (suspicious ? !isTimestamp(bytes, start, end) : isTelling(name, bytes, start, end)) {
        visit({ start, end, name, depth: open.length, quoted })
      }
    }
  }
}

function isSuspicious(traits: number, digits: number, dots: number, length: number): boolean {
  return (
    digits >= DIGITS_MIN ||
    (traits & MARK) !== 0 ||
    (dots >= 3 && (digits >= 4 || dots >= 5)) ||
    ((traits & HIGH) !== 0 && length >= HAN_BYTES_MIN) ||
    ((traits & UPPER) !== 0 && (traits & (LOWER | DIGIT)) !== 0 && length >= ENCODED_LENGTH_MIN) ||
    ((traits & COLON) !== 0 && length >= LABELLED_LENGTH_MIN) ||
    ((traits & SPACE) !== 0 && (traits & DIGIT) !== 0)
  )
}

function isTelling(name: Name, bytes: Buffer, start: number, end: number): boolean {
  return name.telling === 2 || (name.telling === 1 && !isToken(bytes, start, end))
}

/** `2026-11-24T02:00:00.123456789Z`: the commonest number that is nobody's. */
function isTimestamp(bytes: Buffer, start: number, end: number): boolean {
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

function colonFollows(bytes: Buffer, from: number): boolean {
  let at = from
  while ((bytes[at] ?? 0xff) <= 0x20) at++
  return bytes[at] === 0x3a
}

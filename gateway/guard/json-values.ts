/**
 * Visits the keys and scalars of serialized JSON that deserve a closer look. It trusts nothing and
 * never throws: bytes that are no JSON are visited as they come. @module
 */

/** A key or scalar; offsets are bytes and exclude the quotes. */
export interface JsonValue {
  readonly start: number
  readonly end: number
  /** The member name that applies: an array's elements have the array's. Empty span: none. */
  readonly nameStart: number
  readonly nameEnd: number
  /** 0 at the top. */
  readonly depth: number
  readonly type: 'key' | 'string' | 'number'
}

/** Traits of a byte, or-ed together over a value. */
const DIGIT = 1
const UPPER = 2
const LOWER = 4
const HIGH = 8
/** `@ \ % & { [ =`: bytes that an address or an encoding needs. */
const MARK = 16
const COLON = 32
const PLAIN = 0

const TRAITS = new Uint8Array(256).map((_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return DIGIT
  if (byte >= 0x41 && byte <= 0x5a) return UPPER
  if (byte >= 0x61 && byte <= 0x7a) return LOWER
  if (byte >= 0x80) return HIGH
  if (byte === 0x3a) return COLON
  return '@\\%&{[='.includes(String.fromCharCode(byte)) ? MARK : PLAIN
})

/** No identifier has fewer digits; an IPv4 address has at least four, and dots. */
const DIGITS_MIN = 7
const ENCODED_LENGTH_MIN = 8
const HAN_BYTES_MIN = 6

/**
 * Visits suspicious values in document order. Linear in `bytes`.
 *
 * @param isTelling whether the member name at these offsets alone makes its value suspicious.
 */
export function visitSuspicious(
  bytes: Uint8Array,
  isTelling: (start: number, end: number) => boolean,
  visit: (value: JsonValue) => void,
): void {
  const names: number[] = [] // Per open bracket: name start and end to return to.
  let nameStart = 0
  let nameEnd = 0
  let telling = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte <= 0x20 || byte === 0x2c || byte === 0x3a) continue
    if (byte === 0x7b || byte === 0x5b) {
      names.push(nameStart, nameEnd)
      if (byte === 0x7b) nameEnd = nameStart
      continue
    }
    if (byte === 0x7d || byte === 0x5d) {
      nameEnd = names.pop() ?? 0
      nameStart = names.pop() ?? 0
      telling = nameEnd > nameStart && isTelling(nameStart, nameEnd)
      continue
    }
    const quoted = byte === 0x22
    const start = quoted ? at + 1 : at
    let traits = 0
    let digits = 0
    let dots = 0
    let end = start
    for (; end < bytes.length; end++) {
      const next = bytes[end] ?? 0
      if (
        next === 0x22 ||
        (!quoted && (next <= 0x20 || next === 0x2c || next === 0x5d || next === 0x7d))
      )
        break
      if (next === 0x5c) end++
      const trait = TRAITS[next] ?? 0
      traits |= trait
      digits += trait & DIGIT
      if (next === 0x2e) dots++
    }
    at = quoted ? end : end - 1
    const isKey = quoted && colonFollows(bytes, end + 1)
    const suspicious =
      digits >= DIGITS_MIN ||
      (dots >= 3 && digits >= 4) ||
      (traits & MARK) !== 0 ||
      ((traits & HIGH) !== 0 && end - start >= HAN_BYTES_MIN) ||
      ((traits & UPPER) !== 0 &&
        (traits & (LOWER | DIGIT)) !== 0 &&
        end - start >= ENCODED_LENGTH_MIN) ||
      ((traits & COLON) !== 0 && end - start >= ENCODED_LENGTH_MIN)
    if (isKey) {
      if (suspicious)
        visit({ start, end, nameStart: 0, nameEnd: 0, depth: names.length >> 1, type: 'key' })
      nameStart = start
      nameEnd = end
      telling = isTelling(start, end)
    } else if (suspicious || telling) {
      const type = quoted ? 'string' : 'number'
      visit({ start, end, nameStart, nameEnd, depth: names.length >> 1, type })
    }
  }
}

function colonFollows(bytes: Uint8Array, from: number): boolean {
  let at = from
  while ((bytes[at] ?? 0xff) <= 0x20) at++
  return bytes[at] === 0x3a
}

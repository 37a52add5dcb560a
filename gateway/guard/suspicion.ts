/** Which values deserve a closer look, judged from their bytes: cheap, and never too narrow. @module */
import { mayCarryText } from './base64.ts'
import type { Name } from './names.ts'

/** Traits of a byte, or-ed together over a value. */
const DIGIT = 1
const UPPER = 2
const LOWER = 4
/** Beyond ASCII. */
export const HIGH = 8
/** Bytes that an address, an encoding or a Hong Kong identity number needs. */
const MARK = 16
const COLON = 32
const SPACE = 64
/** `.` and `-` part addresses. */
const DOT = 128

/** A letter that each Latin label of a blocked value has: see `LABELS` in fields.ts. */
const LABELLING = 256
/** Of no alphabet of base64. */
const PARTING = 512
/** This and what is greater ends a value or takes the next byte along. */
export const CONTROL = 1024
/** Ends the value. */
export const STOP = 2048

/** Traits of the bytes of a string. */
export const QUOTED = new Int32Array(256).map((_, byte) => {
  const character = String.fromCharCode(byte)
  if (character === '"') return STOP
  if (character === '\\') return CONTROL | MARK | PARTING
  return traitsOf(byte, character)
})

/** Traits of the bytes of a number or word. */
export const BARE = new Int32Array(256).map((_, byte) => {
  const character = String.fromCharCode(byte)
  if (byte <= 0x20 || '",:[]{}'.includes(character)) return STOP
  if (character === '\\') return CONTROL | MARK | PARTING
  return traitsOf(byte, character)
})

function traitsOf(byte: number, character: string): number {
  if (byte >= 0x80) return HIGH | PARTING
  if (/[0-9]/.test(character)) return DIGIT
  if (/[A-Z]/.test(character)) return UPPER | (/[PV]/.test(character) ? LABELLING : 0)
  if (/[a-z]/.test(character)) return LOWER | (/[pv]/.test(character) ? LABELLING : 0)
  if (/[+/_]/.test(character)) return 0
  if (character === '-') return DOT
  if (character === '.') return DOT | PARTING
  if (character === ':') return COLON | PARTING
  if (character === ' ') return SPACE | PARTING
  return PARTING | (/[@%&{[=(]/.test(character) ? MARK : 0)
}

/** 客户张三: the shortest text with a name in it, where the member's name does not tell. */
const HAN_BYTES_MIN = 12
/** `cvv:123` */
const LABELLED_LENGTH_MIN = 6
/** So many digits may be a grouped number; fewer must stand together, or a word beside them tells. */
const DIGITS_GROUPED_MIN = 11
const DIGITS_MIN = 9
/** With a word beside them, the digits of a Hong Kong identity number are the fewest that count. */
const DIGITS_BESIDE_MIN = 6
/** The shortest word that is an identifier by itself, or text in base64. */
const WORD_LENGTH_MIN = 8
/** Longer ones, from the number of a vehicle on, are looked at in any case. */
const WORD_LENGTH_CHECKED_MAX = 17
/** Six bytes in hexadecimal. */
const HEX_LENGTH_MIN = 12

/**
 * Whether a value has what an identifier or an encoding needs at least.
 *
 * @param traits of all its bytes.
 */
function isSuspicious(bytes: Buffer, traits: number, start: number, end: number): boolean {
  if ((traits & MARK) !== 0) return true
  const length = end - start
  // Nothing else is as short; Han and two digits may be a plate.
  if (length < LABELLED_LENGTH_MIN && (traits & HIGH) === 0) return false
  if ((traits & COLON) !== 0 || ((traits & HIGH) !== 0 && length >= HAN_BYTES_MIN)) return true
  if ((traits & (DIGIT | UPPER | DOT)) === 0) return false
  const digits = (traits & DIGIT) === 0 ? 0 : count(bytes, DIGIT, start, end)
  if (digits >= DIGITS_GROUPED_MIN || ((traits & HIGH) !== 0 && digits >= 2)) return true
  if ((traits & DOT) !== 0) {
    const dots = count(bytes, DOT, start, end)
    if (dots >= 3 && (digits >= 4 || dots >= 5)) return true
  }
  const spaced = (traits & SPACE) !== 0 && digits > 0
  if (spaced && (digits >= DIGITS_BESIDE_MIN || (traits & LABELLING) !== 0)) return true
  const mixed = (traits & UPPER) !== 0 && (traits & (LOWER | DIGIT)) !== 0
  if (mixed || digits >= DIGITS_MIN) return length >= WORD_LENGTH_MIN && hasWord(bytes, start, end)
  return spaced && length >= HEX_LENGTH_MIN && hasHex(bytes, start, end)
}

/** How many bytes have the trait. */
function count(bytes: Buffer, trait: number, start: number, end: number): number {
  let found = 0
  for (let at = start; at < end; at++) {
    if (((QUOTED[bytes[at] as number] as number) & trait) !== 0) found++
  }
  return found
}

/** Whether a word may identify somebody, or words that `+`, `/`, `_` and `-` join may be text in base64. */
function hasWord(bytes: Buffer, start: number, end: number): boolean {
  let run = start
  let word = start
  for (let at = start; at <= end; at++) {
    const trait = at < end ? (QUOTED[bytes[at] as number] as number) : PARTING
    if ((trait & (DIGIT | UPPER | LOWER)) !== 0) continue
    if (mayIdentify(bytes, word, at)) return true
    word = at + 1
    if ((trait & PARTING) === 0) continue
    if (mayCarryText(bytes, run, at)) return true
    run = at + 1
  }
  return false
}

/**
 * Whether a word among at most ten digits may be a number of somebody, an image, or text in hexadecimal. Serial
 * numbers are the commonest words that are none: see `SHAPES` in documents.ts. What has more digits is looked at.
 */
function mayIdentify(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start
  if (length < WORD_LENGTH_MIN || length >= WORD_LENGTH_CHECKED_MAX)
    return length >= WORD_LENGTH_MIN
  let letters = 0
  while (letters < length && isLetter(bytes[start + letters] as number)) letters++
  // A number, or one letter before it, or two before at most eight digits.
  if (letters < 2 || (letters === 2 && length <= 10)) return true
  return length >= HEX_LENGTH_MIN && isHex(bytes, start, end)
}

function isLetter(byte: number): boolean {
  return ((QUOTED[byte] as number) & (UPPER | LOWER)) !== 0
}

function isHex(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (isLetter(byte) && (byte | 0x20) > 0x66) return false
  }
  return true
}

/** Whether a word is as long as text in hexadecimal, or as a vehicle's number. */
function hasHex(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start, word = start; at < end; at++) {
    const trait = QUOTED[bytes[at] as number] as number
    if ((trait & (DIGIT | UPPER | LOWER)) === 0) word = at + 1
    else if (at + 1 - word >= HEX_LENGTH_MIN) return true
  }
  return false
}

/** Whether a value deserves a closer look, for itself or for its member's name. */
// prettier-ignore
export function deserves(name: Pick<Name, 'telling'>, bytes: Buffer, traits: number, start: number, end: number): boolean {
  return isSuspicious(bytes, traits, start, end)
    ? !isTimestamp(bytes, start, end)
    : name.telling !== 0 && isTelling(name, bytes, traits, start, end)
}

/** Whether a value that is not suspicious deserves a look for its member's name alone. */
// prettier-ignore
function isTelling(name: Pick<Name, 'telling'>, bytes: Buffer, traits: number, start: number, end: number): boolean {
  if (name.telling !== 1) return name.telling === 2
  return !isToken(bytes, start, end) && !isMasked(bytes, traits, start, end)
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

/** `张**`: masked, and not suspicious so far. Of longer texts, only part may be masked. */
function isMasked(bytes: Buffer, traits: number, start: number, end: number): boolean {
  const mixed = (traits & UPPER) !== 0 && (traits & (LOWER | DIGIT)) !== 0
  if (mixed && end - start >= WORD_LENGTH_MIN) return false
  if ((traits & SPACE) !== 0 && (traits & DIGIT) !== 0) return false
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
    if (((QUOTED[byte] as number) & (LOWER | DIGIT)) === 0 && byte !== 0x5f && byte !== 0x2d)
      return false
  }
  return true
}

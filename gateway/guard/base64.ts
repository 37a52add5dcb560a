/** Runs of base64 and base64url in a text that may be a text again. @module */
import { unitsOf } from './units.ts'

/** The shortest text in base64: six bytes. */
export const BASE64_LENGTH_MIN = 8

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUES = new Int8Array(128).fill(-1)
for (const [value, character] of [...ALPHABET].entries()) VALUES[character.charCodeAt(0)] = value
VALUES['-'.charCodeAt(0)] = 62
VALUES['_'.charCodeAt(0)] = 63

/** The six bits of a character in either alphabet, -1 when it is in none. */
export function base64Value(code: number): number {
  return code < 128 ? (VALUES[code] as number) : -1
}

/** Visits what may be text in base64: whole runs, and the parts of paths and file names. */
export function eachBase64(text: string, visit: (piece: string) => void): void {
  const { length } = text
  const units = unitsOf(text)
  const visitPiece = (from: number, to: number): void => {
    if (isWorthIt(units, from, to)) visit(text.slice(from, to))
  }
  let start = 0
  for (let at = 0; at <= length; at++) {
    if (at < length && base64Value(units[at] as number) >= 0) continue
    if (at - start >= BASE64_LENGTH_MIN) visitRun(units, start, at, visitPiece)
    start = at + 1
  }
}

type VisitPiece = (from: number, to: number) => void

function visitRun(units: Uint16Array, from: number, to: number, visit: VisitPiece): void {
  visit(from, to)
  let start = from
  for (let at = from; at <= to; at++) {
    // `/`, `_` and `-` are of the alphabet, and part it in paths and file names.
    if (at < to && !isParting(units[at] as number)) continue
    if (start > from || at < to) visit(start, at)
    start = at + 1
  }
}

function isParting(code: number): boolean {
  return code === 0x2f || code === 0x5f || code === 0x2d
}

/** Whether a piece may be text: by its beginning, and by its letters, for encoded text always has capital ones. */
function isWorthIt(units: Uint16Array, from: number, to: number): boolean {
  const size = Math.min(to - from, beginning.length)
  for (let at = 0; at < size; at++) beginning[at] = units[from + at] as number
  if (!mayBeText(beginning, 0, size)) return false
  for (let at = from; at < to; at++) if (base64Value(units[at] as number) < 26) return true
  return false
}

/** The beginning of a piece, as bytes. */
const beginning = new Uint8Array(64)
const LETTER_D = 0x44

/**
 * Whether what these characters are base64 of is text, as far as a glance can tell: most words stop being
 * UTF-8 at the second byte.
 */
export function mayBeText(bytes: Uint8Array, start: number, end: number): boolean {
  // The guard takes no text that begins with a carriage return.
  if (end - start < BASE64_LENGTH_MIN || bytes[start] === LETTER_D) return false
  let [held, bits, following] = [0, 0, 0]
  for (let at = start; at < end; at++) {
    held = ((held << 6) | base64Value(bytes[at] as number)) & 0x3fff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    const byte = (held >> bits) & 0xff
    if (following > 0) {
      if ((byte & 0xc0) !== 0x80) return false
      following--
    } else if (byte >= 0x80) {
      // RFC 3629 §3: how many bytes follow on the first one.
      if (byte < 0xc2 || byte > 0xf4) return false
      following = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
    } else if (byte === 0x7f || (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d))
      return false
  }
  return true
}

/** The same of a run, or of a part of it. */
export function mayCarryText(bytes: Uint8Array, from: number, to: number): boolean {
  if (mayBeText(bytes, from, to)) return true
  let start = from
  for (let at = from; at <= to; at++) {
    if (at < to && !isParting(bytes[at] as number)) continue
    if (mayBeText(bytes, start, at)) return true
    start = at + 1
  }
  return false
}

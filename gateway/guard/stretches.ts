/**
 * What can be read in bytes that are no text: a photo, an archive. Nearly all of it is noise, in which
 * detectors need fifty times as long and every few megabytes see an address. @module
 */
import { isUtf8 } from 'node:buffer'
import { eachMatch } from './matches.ts'
import { NO_NAME } from './names.ts'
import { deservesLook } from './plain-value.ts'

/** Bytes before and behind a run that are shown with it: as far as words beside a value count. */
const BEFORE_BYTES = 48
const AFTER_BYTES = 18
/** What each run has in it, in bytes as Latin-1: some ASCII, or two Han characters. */
const SEED = /[\t\n\r\x20-\x7e]{4,}|(?:[\xe2-\xef][\x80-\xbf]{2}){2,}/g
/** Characters of UTF-8 that are no control characters (RFC 3629 §3, leniently), in bytes as Latin-1. */
const CHARACTERS =
  /(?:[\t\n\r\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})*/y
const CHARACTER_BYTES_MAX = 4
/** A shorter run is nobody's: two Han characters have so many. */
const RUN_BYTES_MIN = 6
/** Two Han characters may be a name, of which a word before it tells. */
const NAME = /[\u0800-\uffff]{2}/
/** Signs of an address or an encoding. Chance writes shorter runs with one, but not what is `DESIGN`. */
const SIGNS = /["%&(:=@[\\{]/g
const SIGNED_LENGTH_MIN = 15
/** Letters of another alphabet, and no Han. Chance writes shorter runs of them, too. */
const FOREIGN = /^(?=.*[\x80-\u07ff])[\0-\u07ff]*$/s
const FOREIGN_LENGTH_MIN = 12
/** Digits, or a domain. */
const DESIGN = /(?:\d\D*){6}|@.+\.(?:com|cn|net|org)/s

/**
 * Visits the texts in a body or part: all of it where it is UTF-8, else the runs of text that deserve a
 * look, each with what stands around it, and runs that are near each other together.
 */
export function eachText(bytes: Buffer, visit: (text: string) => void): void {
  if (isUtf8(withoutTornEnds(bytes))) {
    visit(bytes.toString('utf8'))
    return
  }
  const between = (from: number, to: number) =>
    bytes.toString('utf8', Math.max(0, from), to).replace(SIGNS, ' ')
  let [text, textEnd] = ['', 0]
  eachRun(bytes, (run, start, end) => {
    let from = textEnd
    if (start - BEFORE_BYTES > textEnd + AFTER_BYTES) {
      if (text !== '') visit(text + between(textEnd, textEnd + AFTER_BYTES))
      text = ''
      from = start - BEFORE_BYTES
    }
    text += between(from, start) + run
    textEnd = end
  })
  if (text !== '') visit(text + between(textEnd, textEnd + AFTER_BYTES))
}

/** Visits the runs of text that deserve a look. */
function eachRun(bytes: Buffer, visit: (run: string, start: number, end: number) => void): void {
  const latin1 = bytes.toString('latin1')
  eachMatch(latin1, SEED, ({ index }) => {
    const start = runStart(bytes, index)
    CHARACTERS.lastIndex = start
    const end = start + (CHARACTERS.exec(latin1)?.[0].length ?? 0)
    SEED.lastIndex = end
    if (end - start < RUN_BYTES_MIN) return
    const run = bytes.toString('utf8', start, end)
    if (isTelling(run)) visit(run, start, end)
  })
}

function isTelling(run: string): boolean {
  return NAME.test(run) || (!isChance(run) && deservesLook(run, NO_NAME))
}

function isChance(run: string): boolean {
  if (run.length >= SIGNED_LENGTH_MIN || DESIGN.test(run)) return false
  return run.search(SIGNS) >= 0 || (run.length < FOREIGN_LENGTH_MIN && FOREIGN.test(run))
}

/** Where the first of the characters begins that stand right before this place. */
function runStart(bytes: Buffer, seed: number): number {
  let start = seed
  for (let size = 1; size <= CHARACTER_BYTES_MAX && size <= start; size++) {
    const byte = bytes[start - size] as number
    if (isFollowing(byte)) continue
    if (sizeOf(byte) !== size) break
    start -= size
    size = 0
  }
  return start
}

/** Bytes of the character that begins so; 0 for what begins none. */
function sizeOf(byte: number): number {
  if (byte < 0x80) return byte >= 0x20 && byte !== 0x7f ? 1 : 0
  return byte < 0xc2 || byte > 0xf4 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
}

function isFollowing(byte = 0): boolean {
  return (byte & 0xc0) === 0x80
}

/** A part of a long text may begin and end inside a character. */
function withoutTornEnds(bytes: Buffer): Buffer {
  let [start, end] = [0, bytes.length]
  while (start < 3 && isFollowing(bytes[start])) start++
  while (end > bytes.length - 3 && isFollowing(bytes[end - 1])) end--
  return bytes.subarray(start, (bytes[end - 1] ?? 0) < 0xc0 ? end : end - 1)
}

/**
 * A strict JSON scanner (RFC 8259) that reports spans and builds nothing. What two parsers could
 * read in two ways is refused: duplicate names, lone surrogates, a byte order mark. @module
 */
import { isUtf8 } from 'node:buffer'
import {
  decodeString,
  HASH_FACTOR,
  HASH_START,
  hashName,
  malformed,
  scalarEnd,
  type ScalarType,
  skipSpace,
  stringEnd,
  typeOf,
} from './json-token.ts'
import { Problem } from './problem.ts'

/** Deepest nesting of arrays and objects. */
export const DEPTH_MAX = 64
/** Members of one object: their names are held while the object is open. */
export const MEMBERS_MAX = 1_000_000
/** Up to here an object's names are compared by hash in place, beyond in a set. */
const MEMBERS_IN_PLACE = 16

/** Receives one document in order; positions count bytes from the start of `bytes`. */
export interface JsonSink {
  /**
   * The next value's name stands, between its quotes, at `start` to `end`. `text` is given when the
   * name has escapes; `hash` is `hashName` of the decoded name; `lead` follows the `{` or `,`.
   */
  member(lead: number, hash: number, start: number, end: number, text: string | undefined): void
  /** The next value is an array's element; `lead` follows the `[` or `,`. */
  element(lead: number): void
  scalar(type: ScalarType, start: number, end: number): void
  /** @returns false when the inside need not be reported; it is checked, and `close` comes still. */
  open(isArray: boolean, start: number): boolean
  close(end: number): void
}

/** Where a scan stands between two chunks. */
export interface Scan {
  readonly sink: JsonSink
  /** Whether names outlive the buffer that they stand in: then they are kept as texts. */
  readonly resumable: boolean
  /** One entry per open container. */
  readonly isArray: boolean[]
  /** Where the container's names begin in `hashes`. */
  readonly firstName: number[]
  readonly names: (Set<string> | undefined)[]
  /** The names of the open objects: hash, start and end of each. Shrinking arrays is slow, so the
   * count says how many of them are in use. */
  readonly hashes: number[]
  readonly starts: number[]
  readonly ends: number[]
  nameCount: number
  /** Whether a value has just ended, so that `,` or a closing bracket must follow. */
  afterValue: boolean
  /** Depth of the container whose inside is not reported; 0 when all is. */
  silentFrom: number
  /** The name that was just read. */
  hash: number
  nameStart: number
  nameEnd: number
  nameText: string | undefined
  /** Bytes before the current buffer, for messages. */
  offset: number
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Checks a whole document and reports it. @throws {Problem} `body-malformed`, `body-too-large`. */
export function scanJson(bytes: Buffer, sink: JsonSink): void {
  requireUtf8(bytes, 0)
  advance(startScan(sink, false), bytes, true)
}

/** @param resumable whether the document comes in several chunks. */
export function startScan(sink: JsonSink, resumable: boolean): Scan {
  // prettier-ignore
  return {
    sink, resumable, isArray: [], firstName: [], names: [], hashes: [], starts: [], ends: [], nameCount: 0,
    afterValue: false, silentFrom: 0, hash: 0, nameStart: 0, nameEnd: 0, nameText: undefined, offset: 0,
  }
}

/**
 * Reports what is complete in `bytes` between `start` and `end`, which must be UTF-8.
 *
 * @returns where it stopped; the caller goes on from there, with more bytes behind.
 */
// prettier-ignore
export function advance(scan: Scan, bytes: Buffer, last: boolean, start = 0, end = bytes.length): number {
  const { sink, isArray } = scan
  let at = start
  for (;;) {
    const settled = at
    at = skipSpace(bytes, at, end)
    if (at === end) {
      if (last && !(scan.afterValue && isArray.length === 0)) throw endsEarly(scan, end)
      return last ? end : settled
    }
    const depth = isArray.length
    let lead = settled
    if (depth > 0) {
      const inArray = isArray[depth - 1]
      const byte = bytes[at]
      if (byte === (inArray ? CLOSE_ARRAY : CLOSE_OBJECT)) {
        at++
        close(scan, at)
        continue
      }
      if (scan.afterValue) {
        if (byte !== COMMA)
          throw malformed(scan.offset + at, 'expected a comma or the end of the container')
        lead = at + 1
        at = skipSpace(bytes, lead, end)
      }
      if (!inArray) at = readName(scan, bytes, at, end)
      if (at < 0 || at === end) return incomplete(scan, last, settled, end)
    } else if (scan.afterValue)
      throw malformed(scan.offset + at, 'expected nothing after the document')

    const byte = bytes[at] as number
    const opens = byte === OPEN_OBJECT || byte === OPEN_ARRAY
    const valueEnd = opens ? at + 1 : scalarEnd(bytes, at, end, last, scan.offset)
    if (valueEnd < 0) return incomplete(scan, last, settled, end)
    if (depth > 0) reportItem(scan, bytes, lead)
    if (opens) open(scan, byte === OPEN_ARRAY, at)
    else {
      if (scan.silentFrom === 0) sink.scalar(typeOf(byte), at, valueEnd)
      scan.afterValue = true
    }
    at = valueEnd
  }
}

function reportItem(scan: Scan, bytes: Buffer, lead: number): void {
  if (scan.isArray[scan.isArray.length - 1]) {
    if (scan.silentFrom === 0) scan.sink.element(lead)
    return
  }
  requireNewName(scan, bytes)
  if (scan.silentFrom !== 0) return
  scan.sink.member(lead, scan.hash, scan.nameStart, scan.nameEnd, scan.nameText)
}

function open(scan: Scan, isArray: boolean, at: number): void {
  if (scan.isArray.length === DEPTH_MAX) {
    throw new Problem(
      'body-too-large',
      `nesting is deeper than ${DEPTH_MAX} at byte ${scan.offset + at}`,
    )
  }
  const reported = scan.silentFrom !== 0 || scan.sink.open(isArray, at)
  scan.isArray.push(isArray)
  scan.firstName.push(scan.nameCount)
  scan.names.push(undefined)
  if (!reported) scan.silentFrom = scan.isArray.length
  scan.afterValue = false
}

function close(scan: Scan, end: number): void {
  const depth = scan.isArray.length
  scan.nameCount = scan.firstName.pop() as number
  scan.names.pop()
  scan.isArray.pop()
  if (scan.silentFrom === depth) scan.silentFrom = 0
  if (scan.silentFrom === 0) scan.sink.close(end)
  scan.afterValue = true
}

/** Reads `"name" :` and the space behind it. @returns where the value starts, -1 if cut off. */
function readName(scan: Scan, bytes: Buffer, start: number, end: number): number {
  if (start === end) return -1
  if (bytes[start] !== QUOTE) throw malformed(scan.offset + start, 'expected a name in quotes')
  let at = start + 1
  let hash = HASH_START
  let byte = QUOTE - 1
  while (at < end) {
    byte = bytes[at] as number
    if (byte === QUOTE || byte === BACKSLASH || byte < 0x20) break
    hash = Math.imul(hash ^ byte, HASH_FACTOR)
    at++
  }
  if (at === end) return -1
  if (byte !== QUOTE) {
    at = stringEnd(bytes, at, end, scan.offset) - 1
    if (at < 0) return -1
    scan.nameText = decodeString(bytes, start + 1, at)
    hash = hashName(scan.nameText)
  } else scan.nameText = undefined
  scan.hash = hash
  scan.nameStart = start + 1
  scan.nameEnd = at
  at = skipSpace(bytes, at + 1, end)
  if (at === end) return -1
  if (bytes[at] !== COLON) throw malformed(scan.offset + at, 'expected a colon')
  return skipSpace(bytes, at + 1, end)
}

/** @throws {Problem} when the object has a member of the same decoded name already. */
function requireNewName(scan: Scan, bytes: Buffer): void {
  const { hashes, hash } = scan
  const top = scan.names.length - 1
  const first = scan.firstName[top] as number
  const count = scan.nameCount - first
  if (scan.resumable || count === MEMBERS_IN_PLACE) {
    requireNewInSet(scan, bytes, top, first)
    return
  }
  for (let i = first; i < scan.nameCount; i++) {
    if (hashes[i] === hash && nameAt(scan, bytes, i) === newName(scan, bytes)) throw repeated(scan)
  }
  const place = scan.nameCount++
  hashes[place] = hash
  scan.starts[place] = scan.nameStart
  scan.ends[place] = scan.nameEnd
}

function requireNewInSet(scan: Scan, bytes: Buffer, top: number, first: number): void {
  let names = scan.names[top]
  if (names === undefined) {
    names = new Set()
    for (let i = first; i < scan.nameCount; i++) names.add(nameAt(scan, bytes, i))
    scan.names[top] = names
  }
  const count = names.size
  if (count === MEMBERS_MAX)
    throw new Problem('body-too-large', `an object has over ${MEMBERS_MAX} members`)
  if (names.add(newName(scan, bytes)).size === count) throw repeated(scan)
}

function nameAt(scan: Scan, bytes: Buffer, index: number): string {
  return decodeString(bytes, scan.starts[index] as number, scan.ends[index] as number)
}

function newName(scan: Scan, bytes: Buffer): string {
  return scan.nameText ?? decodeString(bytes, scan.nameStart, scan.nameEnd)
}

function repeated(scan: Scan): Problem {
  return malformed(scan.offset + scan.nameStart, 'the object has this name twice')
}

function incomplete(scan: Scan, last: boolean, settled: number, end: number): number {
  if (last) throw endsEarly(scan, end)
  return settled
}

function endsEarly(scan: Scan, end: number): Problem {
  return malformed(scan.offset + end, 'the document ends early')
}

/** @throws {Problem} `body-malformed` where the bytes stop being UTF-8 (RFC 3629). */
export function requireUtf8(bytes: Buffer, offset: number): void {
  if (isUtf8(bytes)) return
  // Decoding puts a replacement character where it fails: that is the first difference.
  const read = Buffer.from(bytes.toString('utf8'))
  let at = 0
  while (at < bytes.length && read[at] === bytes[at]) at++
  throw malformed(offset + at, 'expected UTF-8')
}

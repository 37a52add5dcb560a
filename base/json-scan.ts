/**
 * A strict JSON scanner (RFC 8259) that reports spans and builds nothing. What two parsers could
 * read in two ways is refused: duplicate names, lone surrogates, a byte order mark. @module
 */
import {
  decodeString,
  HASH_FACTOR,
  HASH_START,
  hashName,
  IS_PLAIN,
  malformed,
  scalarEnd,
  type ScalarType,
  skipSpace,
  stringEnd,
  typeOf,
} from './json-token.ts'
import { Problem } from './problem.ts'
import { requireUtf8 } from './utf8.ts'

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
  /** Open containers, and the bracket that ends the innermost one. */
  depth: number
  closer: number
  /** Where its names begin in `hashes`, and how many there are in all. */
  first: number
  nameCount: number
  /** Whether a value has just ended, so that `,` or a closing bracket must follow. */
  afterValue: boolean
  /** Depth of the container whose inside is not reported; 0 when all is. */
  silentFrom: number
  /** By container that is open around the innermost: `closer` and `first` of the one outside it. */
  readonly closers: number[]
  readonly firsts: number[]
  /** By container, where it has many names. */
  readonly sets: (Set<string> | undefined)[]
  /** The names of the open objects: hash, start and end of each. */
  readonly hashes: number[]
  readonly starts: number[]
  readonly ends: number[]
  /** Bytes before the current buffer, for messages. */
  offset: number
}

const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
/** In place of the hash of a name that must be decoded first, or may as well. */
const ESCAPED = -1
/** Around the document. */
const NO_CLOSER = -1

const AT_COMMA = 'expected a comma or the end of the container'
const AT_END = 'expected nothing after the document'

/** Checks a whole document and reports it. @throws {Problem} `body-malformed`, `body-too-large`. */
export function scanJson(bytes: Buffer, sink: JsonSink): void {
  requireUtf8(bytes, 0)
  advance(startScan(sink, false), bytes, true)
}

/** @param resumable whether the document comes in several chunks. */
export function startScan(sink: JsonSink, resumable: boolean): Scan {
  // prettier-ignore
  return {
    sink, resumable, depth: 0, closer: NO_CLOSER, first: 0, nameCount: 0, afterValue: false, silentFrom: 0,
    closers: [], firsts: [], sets: [], hashes: [], starts: [], ends: [], offset: 0,
  }
}

/** Makes a scan that read one document to its end ready for the next one. */
export function restart(scan: Scan, offset: number): void {
  scan.afterValue = false
  scan.offset = offset
}

/**
 * Reports what is complete in `bytes` between `start` and `end`, which must be UTF-8.
 *
 * One loop without calls for what is common, and with its state in variables: half of a scan's time
 * went into calls and fields. Nothing of an item is kept before all of it was read, so that a chunk
 * may end anywhere.
 *
 * @returns where it stopped; the caller goes on from there, with more bytes behind.
 */
// prettier-ignore
export function advance(scan: Scan, bytes: Buffer, last: boolean, start = 0, end = bytes.length): number {
  const { sink, closers, firsts, sets, offset } = scan
  let { depth, closer, first, nameCount, afterValue, silentFrom } = scan
  let at = start
  let settled = start
  for (;;) {
    settled = at
    if (at < end && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, end)
    if (at === end) break
    let byte = bytes[at] as number
    let lead = settled
    if (byte === closer) {
      at++
      nameCount = first
      if (sets.length === depth) dropSet(sets)
      if (silentFrom === depth) silentFrom = 0
      depth--
      closer = closers[depth] as number
      first = firsts[depth] as number
      if (silentFrom === 0) sink.close(at)
      afterValue = true
      continue
    }
    if (afterValue) {
      if (byte !== COMMA || depth === 0) throw malformed(offset + at, depth === 0 ? AT_END : AT_COMMA)
      lead = ++at
      if (at < end && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, end)
      if (at === end) break
      byte = bytes[at] as number
    }
    let hash = HASH_START
    let nameStart = 0
    let nameEnd = 0
    if (closer === CLOSE_OBJECT) {
      if (byte !== QUOTE) throw malformed(offset + at, 'expected a name in quotes')
      nameStart = ++at
      for (; at < end && IS_PLAIN[bytes[at] as number] === 1; at++)
        hash = Math.imul(hash ^ (bytes[at] as number), HASH_FACTOR)
      if (at === end) break
      if (bytes[at] !== QUOTE) {
        hash = ESCAPED
        at = stringEnd(bytes, at, end, offset) - 1
      }
      nameEnd = at
      at = at < 0 ? end : valueStart(bytes, at + 1, end, offset)
      if (at === end) break
      byte = bytes[at] as number
    }
    const opens = byte === OPEN_OBJECT || byte === OPEN_ARRAY
    const valueEnd = opens ? at + 1 : quickEnd(bytes, at, end, last, offset)
    if (valueEnd < 0) break
    if (closer === CLOSE_OBJECT) {
      nameCount = keepName(scan, bytes, depth, first, nameCount, hash, nameStart, nameEnd)
      if (silentFrom === 0) reportMember(scan, bytes, lead, hash, nameStart, nameEnd)
    } else if (silentFrom === 0 && depth > 0) sink.element(lead)
    if (opens) {
      if (depth === DEPTH_MAX) throw tooDeep(offset + at)
      if (silentFrom === 0 && !sink.open(byte === OPEN_ARRAY, at)) silentFrom = depth + 1
      closers[depth] = closer
      firsts[depth++] = first
      closer = byte === OPEN_ARRAY ? CLOSE_ARRAY : CLOSE_OBJECT
      first = nameCount
    } else if (silentFrom === 0) sink.scalar(typeOf(byte), at, valueEnd)
    afterValue = !opens
    at = valueEnd
  }
  if (last && !(afterValue && depth === 0)) throw malformed(offset + end, 'the document ends early')
  keepState(scan, depth, closer, first, nameCount, afterValue, silentFrom)
  return last ? end : settled
}

// prettier-ignore
function keepState(
  scan: Scan, depth: number, closer: number, first: number, nameCount: number, afterValue: boolean, silentFrom: number,
): void {
  scan.depth = depth
  scan.closer = closer
  scan.first = first
  scan.nameCount = nameCount
  scan.afterValue = afterValue
  scan.silentFrom = silentFrom
}

/** As scalarEnd, but small enough to be compiled into its caller: most values are plain strings. */
// prettier-ignore
function quickEnd(bytes: Buffer, start: number, end: number, last: boolean, offset: number): number {
  if (bytes[start] !== QUOTE) return scalarEnd(bytes, start, end, last, offset)
  let at = start + 1
  while (at < end && IS_PLAIN[bytes[at] as number] === 1) at++
  return at < end && bytes[at] === QUOTE ? at + 1 : stringEnd(bytes, at, end, offset)
}

/** Tells the sink of a member; a name with escapes is decoded. */
// prettier-ignore
function reportMember(
  { sink }: Scan, bytes: Buffer, lead: number, hash: number, start: number, end: number,
): void {
  if (hash !== ESCAPED) {
    sink.member(lead, hash, start, end, undefined)
    return
  }
  const text = decodeString(bytes, start, end)
  sink.member(lead, hashName(text), start, end, text)
}

/** Keeps a name that the object does not have yet. @returns how many stand in place. */
// prettier-ignore
function keepName(
  scan: Scan, bytes: Buffer, depth: number, first: number, nameCount: number, hash: number, start: number, end: number,
): number {
  const { hashes, starts, ends, sets } = scan
  let isNew = hash !== ESCAPED && !scan.resumable && sets.length !== depth
  for (let i = first; i < nameCount; i++) if (hashes[i] === hash) isNew = false
  if (!isNew || nameCount - first === MEMBERS_IN_PLACE) {
    addName(scan, bytes, { depth, first, nameCount }, start, end)
    return nameCount
  }
  hashes[nameCount] = hash
  starts[nameCount] = start
  ends[nameCount] = end
  return nameCount + 1
}

/** Reads the colon after a name, and the space around it. @returns `end` when it is cut off. */
function valueStart(bytes: Buffer, start: number, end: number, offset: number): number {
  const at = skipSpace(bytes, start, end)
  if (at === end) return end
  if (bytes[at] !== COLON) throw malformed(offset + at, 'expected a colon')
  return skipSpace(bytes, at + 1, end)
}

/** The names of an object in place: which of `hashes` are its. */
interface InPlace {
  readonly depth: number
  readonly first: number
  readonly nameCount: number
}

/**
 * Takes a name into the object's set, which is made when the names in place are too many, or one has
 * escapes, or two have the same hash.
 *
 * @throws {Problem} when the object has a member of the same decoded name already.
 */
function addName(scan: Scan, bytes: Buffer, place: InPlace, start: number, end: number): void {
  const { sets, starts, ends } = scan
  let set = sets.length === place.depth ? sets[place.depth - 1] : undefined
  if (set === undefined) {
    set = new Set()
    for (let i = place.first; i < place.nameCount; i++)
      set.add(decodeString(bytes, starts[i] as number, ends[i] as number))
    while (sets.length < place.depth - 1) sets.push(undefined)
    sets[place.depth - 1] = set
  }
  const count = set.size
  if (count === MEMBERS_MAX)
    throw new Problem('body-too-large', `an object has over ${MEMBERS_MAX} members`)
  if (set.add(decodeString(bytes, start, end)).size === count)
    throw malformed(scan.offset + start, 'the object has this name twice')
}

/** Forgets the innermost set; objects around it without one have none. */
function dropSet(sets: (Set<string> | undefined)[]): void {
  sets.pop()
  while (sets.length > 0 && sets.at(-1) === undefined) sets.pop()
}

function tooDeep(at: number): Problem {
  return new Problem('body-too-large', `nesting is deeper than ${DEPTH_MAX} at byte ${at}`)
}

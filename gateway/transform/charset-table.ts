/** The tables of GBK and GB 18030: what the platform's decoder says, and the same turned round. @module */
import type { Charset } from '../policy/body.ts'

/** Both ways between a character set and UTF-16 units. A unit of 0 stands for none. */
export interface CharsetTable {
  /** By two bytes: the unit whose one spelling they are. */
  readonly pairs: Uint16Array
  /** By place of four bytes; only GB 18030 has such. */
  readonly quads: Uint16Array
  /** By unit: its two bytes. */
  readonly toPair: Uint16Array
  /** By unit: its place of four bytes and 1. */
  readonly toQuad: Uint16Array
}

/** Characters of plane 0 that GB 18030 writes in four bytes. */
const PLANE_0_PLACES = 39_420
/** Where the characters beyond plane 0 begin, and how many there are. */
export const ASTRAL_PLACE = 189_000
/** See ASTRAL_PLACE. */
export const ASTRAL_PLACES = 0x10_0000

const tables = new Map<Charset, CharsetTable>()

/** The table of a character set, made when it is first asked for. */
export function tableOf(charset: Charset): CharsetTable {
  let table = tables.get(charset)
  if (table === undefined) {
    table = makeTable(charset)
    tables.set(charset, table)
  }
  return table
}

/** The platform's decoder says what bytes mean, so that two decoders cannot disagree. */
function makeTable(charset: Charset): CharsetTable {
  const isWide = charset === 'gb18030'
  const [pairs, toPair] = [new Uint16Array(0x1_0000), new Uint16Array(0x1_0000)]
  const quads = new Uint16Array(isWide ? PLANE_0_PLACES : 0)
  const toQuad = new Uint16Array(isWide ? 0x1_0000 : 0)
  const decoder = new TextDecoder(charset)
  /** The unit that the bytes mean, unless it has another spelling already: the first one stands. */
  const unitOf = (...bytes: readonly number[]): number => {
    const text = decoder.decode(Uint8Array.from(bytes))
    const unit = text.length === 1 && text !== '\ufffd' ? text.charCodeAt(0) : 0
    return unit < 0x80 || toPair[unit] !== 0 || (toQuad[unit] ?? 0) !== 0 ? 0 : unit
  }
  for (let pair = 0x8140; pair <= 0xfefe; pair++) {
    const [lead, trail] = [pair >> 8, pair & 0xff]
    if (trail < 0x40 || trail === 0x7f || trail === 0xff) continue
    const unit = unitOf(lead, trail)
    if (unit === 0) continue
    pairs[pair] = unit
    toPair[unit] = pair
  }
  for (let place = 0; place < quads.length; place++) {
    const unit = unitOf(...fourBytes(place))
    if (unit === 0) continue
    quads[place] = unit
    toQuad[unit] = place + 1
  }
  return { pairs, quads, toPair, toQuad }
}

/** The four bytes of a place. */
export function fourBytes(place: number): readonly [number, number, number, number] {
  return [
    0x81 + Math.floor(place / 12_600),
    0x30 + (Math.floor(place / 1260) % 10),
    0x81 + (Math.floor(place / 10) % 126),
    0x30 + (place % 10),
  ]
}

/** The place of four bytes at `at`, -1 when they are no four bytes of GB 18030. */
export function placeOf(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
  if (a === undefined || b === undefined || c === undefined || d === undefined) return -1
  if (!isLead(a) || !isDigit(b) || !isLead(c) || !isDigit(d)) return -1
  return ((a - 0x81) * 10 + b - 0x30) * 1260 + (c - 0x81) * 10 + d - 0x30
}

/** Whether a character of several bytes may begin so. */
export function isLead(byte: number): boolean {
  return byte >= 0x81 && byte <= 0xfe
}

/** Whether it is the second or fourth of four bytes. */
export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/**
 * GBK and GB 18030: a body is decoded for the engine and encoded again behind it. Only the one spelling of
 * each character is read, so that what is kept leaves byte for byte as it came. @module
 */
import { malformed } from '../../base/json-token.ts'
import { Problem } from '../../base/problem.ts'
import type { Charset } from '../policy/body.ts'
import * as charset from './charset-table.ts'

/** Turns one body into UTF-8 and back, in parts. */
export interface Transcoder {
  /** @throws {Problem} `body-malformed` where the bytes are not in the character set, or not alone so. */
  decode(chunk: Uint8Array, last: boolean): Buffer
  /** The same, told with what stands before: whoever reads that knows the row. Nothing may follow. */
  read(chunk: Uint8Array, last: boolean): Readable
  /**
   * @param bytes UTF-8, of whole characters.
   * @param cuts ascending places in it, which become those in the result.
   * @throws {Problem} `value-unsuitable` for a character that the character set lacks.
   */
  encode(bytes: Buffer, cuts?: number[]): Buffer
}

/** Text, and what is wrong behind it. */
export interface Readable {
  readonly text: Buffer
  readonly fault?: Problem
}

/** Starts a body. Every character is encoded by itself, so parts may be encoded apart. */
export function startTranscoder(name: Charset): Transcoder {
  if (name === 'utf-8') return AS_IT_IS
  const table = charset.tableOf(name)
  let pending = NOTHING
  let offset = 0
  const read: Transcoder['read'] = (chunk, last) => {
    const bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    const room = Buffer.allocUnsafe(Math.ceil(bytes.length * UTF_8_PER_BYTE))
    const { at, size } = decodeInto(room, bytes, table)
    const text = room.subarray(0, size)
    if (at < bytes.length && (last || !isCutOff(bytes, at, table)))
      return { text, fault: malformed(offset + at, whyNot(bytes, at, name)) }
    // The caller's memory may be used again.
    pending = Buffer.from(bytes.subarray(at))
    offset += at
    return { text }
  }
  return {
    read,
    decode(chunk, last) {
      const { text, fault } = read(chunk, last)
      if (fault !== undefined) throw fault
      return text
    },
    encode(bytes, cuts = []) {
      const encoded = Buffer.allocUnsafe(bytes.length * (table.quads.length > 0 ? 2 : 1))
      let size = 0
      let from = 0
      for (let index = 0; index <= cuts.length; index++) {
        const to = cuts[index] ?? bytes.length
        size = encodeInto(encoded, size, bytes, from, to, table)
        if (size < 0)
          throw new Problem('value-unsuitable', `a new value has a character that ${name} lacks`)
        if (index < cuts.length) cuts[index] = size
        from = to
      }
      return encoded.subarray(0, size)
    },
  }
}

const NOTHING: Buffer = Buffer.alloc(0)
/** Two bytes may become three. */
const UTF_8_PER_BYTE = 1.5

const asItIs = (chunk: Uint8Array) => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)

const AS_IT_IS: Transcoder = {
  decode: asItIs,
  read: (chunk) => ({ text: asItIs(chunk) }),
  encode: (bytes) => bytes,
}

/** @returns where the first character stands that is cut off or unreadable, and the size of the text. */
function decodeInto(
  text: Buffer,
  bytes: Uint8Array,
  { pairs, quads }: charset.CharsetTable,
): { readonly at: number; readonly size: number } {
  const { length } = bytes
  let size = 0
  let at = 0
  while (at < length) {
    const byte = bytes[at] as number
    if (byte < 0x80) {
      text[size++] = byte
      at++
      continue
    }
    let unit = at + 1 < length ? (pairs[(byte << 8) | (bytes[at + 1] as number)] as number) : 0
    if (unit !== 0) at += 2
    else {
      const place = quads.length === 0 ? -1 : charset.placeOf(bytes, at)
      const astral = place - charset.ASTRAL_PLACE
      if (astral >= 0 && astral < charset.ASTRAL_PLACES) {
        size += text.write(String.fromCodePoint(0x1_0000 + astral), size)
        at += 4
        continue
      }
      unit = quads[place] ?? 0
      if (unit === 0) break
      at += 4
    }
    if (unit < 0x800) text[size++] = 0xc0 | (unit >> 6)
    else {
      text[size++] = 0xe0 | (unit >> 12)
      text[size++] = 0x80 | ((unit >> 6) & 0x3f)
    }
    text[size++] = 0x80 | (unit & 0x3f)
  }
  return { at, size }
}

/** Whether more bytes may make a character of what begins here. */
function isCutOff(bytes: Uint8Array, at: number, { quads }: charset.CharsetTable): boolean {
  const rest = bytes.length - at
  if (!charset.isLead(bytes[at] as number)) return false
  if (rest === 1) return true
  if (quads.length === 0 || rest > 3 || !charset.isDigit(bytes[at + 1] as number)) return false
  return rest === 2 || charset.isLead(bytes[at + 2] as number)
}

function whyNot(bytes: Uint8Array, at: number, name: Charset): string {
  const isFour = charset.placeOf(bytes, at) >= 0
  const length = isFour ? 4 : charset.isLead(bytes[at] as number) ? 2 : 1
  const text = new TextDecoder(name).decode(bytes.subarray(at, at + length))
  if (text.includes('\ufffd')) return `expected ${name}`
  return `${name} has another spelling for this character`
}

/** Encodes UTF-8 from `from` to `to`. @returns the size then, -1 when a character has no bytes. */
// prettier-ignore
function encodeInto(
  encoded: Buffer, start: number, bytes: Buffer, from: number, to: number, { toPair, toQuad }: charset.CharsetTable,
): number {
  let size = start
  for (let at = from; at < to;) {
    const byte = bytes[at++] as number
    if (byte < 0x80) {
      encoded[size++] = byte
      continue
    }
    const second = (bytes[at++] as number) & 0x3f
    let unit = ((byte & 0x1f) << 6) | second
    if (byte >= 0xe0) unit = ((byte & 0x0f) << 12) | (second << 6) | ((bytes[at++] as number) & 0x3f)
    const pair = byte < 0xf0 ? (toPair[unit] as number) : 0
    if (pair !== 0) {
      encoded[size++] = pair >> 8
      encoded[size++] = pair & 0xff
      continue
    }
    if (toQuad.length === 0) return -1
    let place = (toQuad[unit] as number) - 1
    if (byte >= 0xf0) {
      const low = (bytes[at++] as number) & 0x3f
      place = charset.ASTRAL_PLACE + (((byte & 0x07) << 18) | ((unit & 0x0fff) << 6) | low) - 0x1_0000
    }
    if (place < 0) return -1
    for (const each of charset.fourBytes(place)) encoded[size++] = each
  }
  return size
}

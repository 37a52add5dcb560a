/**
 * GBK and GB 18030: a body is decoded for the engine and encoded again behind it. What does not come
 * back byte for byte is refused, so that what is kept is byte-exact. @module
 */
import { malformed } from '../../base/json-token.ts'
import { Problem } from '../../base/problem.ts'
import type { Charset } from '../policy/body.ts'

/** Turns one body into UTF-8 and back, in parts. */
export interface Transcoder {
  /** @throws {Problem} `body-malformed` where the bytes are not in the character set, or not alone so. */
  decode(chunk: Uint8Array, last: boolean): Buffer
  /** @throws {Problem} `value-unsuitable` for a character that the character set lacks. */
  encode(bytes: Buffer): Buffer
}

/** Starts a body. Every character is encoded by itself, so parts may be encoded apart. */
export function startTranscoder(charset: Charset): Transcoder {
  if (charset === 'utf-8') return AS_IT_IS
  const decoder = new TextDecoder(charset, { fatal: true })
  const table = tableOf(charset)
  let pending = Buffer.alloc(0)
  let offset = 0
  return {
    decode(chunk, last) {
      pending = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, chunk])
      let text: string
      try {
        text = decoder.decode(chunk, { stream: !last })
      } catch (cause) {
        throw new Problem('body-malformed', `behind byte ${offset}: expected ${charset}`, { cause })
      }
      const { bytes, isWhole } = encodeText(text, table)
      requireSame(pending, bytes, offset, charset)
      offset += bytes.length
      pending = pending.subarray(bytes.length)
      if (!isWhole) throw malformed(offset, `expected ${charset}`)
      return Buffer.from(text)
    },
    encode(bytes) {
      const encoded = encodeText(bytes.toString('utf8'), table)
      if (encoded.isWhole) return Buffer.from(encoded.bytes)
      throw new Problem('value-unsuitable', `a new value has a character that ${charset} lacks`)
    },
  }
}

const AS_IT_IS: Transcoder = {
  decode: (chunk) => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length),
  encode: (bytes) => bytes,
}

function requireSame(input: Buffer, again: Buffer, offset: number, charset: Charset): void {
  if (again.length <= input.length && again.compare(input, 0, again.length) === 0) return
  let at = 0
  while (at < again.length && at < input.length && again[at] === input[at]) at++
  throw malformed(offset + at, `${charset} has another spelling for this character`)
}

/** By UTF-16 unit: the bytes of its character, most significant first; 0 when there are none. */
type EncodeTable = Uint32Array

const tables = new Map<Charset, EncodeTable>()

/** The table is what the platform's decoder says, turned round: two decoders cannot disagree. */
function tableOf(charset: Charset): EncodeTable {
  const known = tables.get(charset)
  if (known !== undefined) return known
  const table: EncodeTable = new Uint32Array(0x1_0000)
  for (let byte = 0; byte < 0x80; byte++) table[byte] = byte
  const pair = new TextDecoder(charset)
  const add = (...bytes: readonly number[]) => {
    const text = pair.decode(Uint8Array.from(bytes))
    if (text.length !== 1 || text === '\ufffd') return
    const unit = text.charCodeAt(0)
    // The first spelling stands; a second one is refused when it comes.
    if (table[unit] === 0) table[unit] = bytes.reduce((sum, byte) => (sum << 8) | byte, 0) >>> 0
  }
  for (let lead = 0x81; lead <= 0xfe; lead++) {
    for (let trail = 0x40; trail <= 0xfe; trail++) if (trail !== 0x7f) add(lead, trail)
  }
  if (charset === 'gb18030') {
    for (let place = 0; place < PLANE_0_PLACES; place++) add(...fourBytes(place))
  }
  tables.set(charset, table)
  return table
}

/** Characters of plane 0 that GB 18030 writes in four bytes; those beyond begin at ASTRAL_PLACE. */
const PLANE_0_PLACES = 39_420
const ASTRAL_PLACE = 189_000

function fourBytes(place: number): readonly number[] {
  return [
    0x81 + Math.floor(place / 12_600),
    0x30 + (Math.floor(place / 1260) % 10),
    0x81 + (Math.floor(place / 10) % 126),
    0x30 + (place % 10),
  ]
}

/** Where short texts are encoded: with millions of rows a buffer for each costs too much. */
const scratch = Buffer.alloc(262_144)

/** Encodes up to the first character that has no bytes. @returns bytes that the next call may overwrite. */
function encodeText(text: string, table: EncodeTable): { bytes: Buffer; isWhole: boolean } {
  const most = text.length * 4
  const bytes = most <= scratch.length ? scratch : Buffer.allocUnsafe(most)
  const isWide = table[0x3400] !== 0 // Only GB 18030 has characters beyond plane 0.
  let size = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    let code = table[unit] as number
    if (code === 0 && unit !== 0) {
      if (!isWide || unit < 0xd800 || unit > 0xdbff)
        return { bytes: bytes.subarray(0, size), isWhole: false }
      const [a = 0, b = 0, c = 0, d = 0] = fourBytes(
        ASTRAL_PLACE + (text.codePointAt(at++) ?? 0) - 0x1_0000,
      )
      code = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
    }
    if (code > 0xffff) {
      bytes[size++] = code >>> 24
      bytes[size++] = (code >>> 16) & 0xff
    }
    if (code > 0xff) bytes[size++] = (code >>> 8) & 0xff
    bytes[size++] = code & 0xff
  }
  return { bytes: bytes.subarray(0, size), isWhole: true }
}

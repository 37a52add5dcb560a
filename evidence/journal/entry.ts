/** The journal's framing: `length u32 | crc32 u32 | type u8 | payload`, big endian. @module */
import { crc32 } from 'node:zlib'
import { Problem } from '../../base/problem.ts'
import { ENTRY_BYTES_MAX } from './limits.ts'

/** What an entry says. Numbers are part of the format: add, never change. */
// prettier-ignore
const TYPES = {
  mark:    0, // Chain head and what is logged; the first entry of every segment.
  intent:  1, // An exchange about to be relayed.
  outcome: 2, // How it ended.
  event:   3, // A refusal or another event, complete in itself.
  sealed:  4, // A record's JWS.
} as const

export type EntryType = keyof typeof TYPES
const NAMES = Object.keys(TYPES) as EntryType[]

export interface Entry {
  readonly type: EntryType
  /** UTF-8 text: JSON, or a JWS. */
  readonly payload: string
}

const HEAD_BYTES = 8

/**
 * Frames one entry. `length` counts the type and the payload, so it is never 0: zeros that a
 * file system leaves behind a crash are no entry.
 */
export function encodeEntry({ type, payload }: Entry): Buffer {
  const bytes = Buffer.byteLength(payload)
  if (bytes >= ENTRY_BYTES_MAX) {
    throw new Problem('evidence-unavailable', `a journal entry exceeds ${ENTRY_BYTES_MAX} bytes`)
  }
  const frame = Buffer.allocUnsafe(HEAD_BYTES + 1 + bytes)
  frame.writeUInt32BE(1 + bytes, 0)
  frame.writeUInt8(TYPES[type], HEAD_BYTES)
  frame.write(payload, HEAD_BYTES + 1, 'utf8')
  frame.writeUInt32BE(crc32(frame.subarray(HEAD_BYTES)), 4)
  return frame
}

/** Reads entries up to the first that is not whole; `end` is where that one begins. */
export function decodeEntries(bytes: Buffer): { readonly entries: Entry[]; readonly end: number } {
  const entries: Entry[] = []
  let end = 0
  while (bytes.length - end > HEAD_BYTES) {
    const length = bytes.readUInt32BE(end)
    const start = end + HEAD_BYTES
    if (length < 1 || length > ENTRY_BYTES_MAX || length > bytes.length - start) break
    const content = bytes.subarray(start, start + length)
    const type = NAMES[content.readUInt8(0)]
    if (type === undefined || crc32(content) !== bytes.readUInt32BE(end + 4)) break
    entries.push({ type, payload: content.toString('utf8', 1) })
    end = start + length
  }
  return { entries, end }
}

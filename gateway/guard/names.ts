/** Member names as they stand in bytes, looked up without decoding them each time. @module */
import { FIELD_NAMES_CACHED_MAX, FIELD_NAME_LENGTH_MAX } from './limits.ts'
import type { Kinds } from './kinds.ts'

/** A member's name and how much it says about the value. */
export interface Name {
  readonly text: string
  /** 0: nothing. 1: the value may be personal. 2: it may be blocked (C3), whatever it looks like. */
  readonly telling: 0 | 1 | 2
  /** Whether the name itself holds nothing personal. */
  readonly clean: boolean
}

/** The name of a value that has none. */
export const NO_NAME: Name = { text: '', telling: 0, clean: true }

/** Reads names, and remembers a bounded number of them. */
export interface Names {
  /** The name in `bytes` from `start` to `end`, quotes excluded. */
  at(bytes: Buffer, start: number, end: number): Name
}

/** Names that a sender chose to collide cost no more than this. */
const BUCKET_SIZE_MAX = 8

/** Binds to a dictionary; `isClean` judges a name as a text. */
export function createNames(kinds: Kinds, isClean: (text: string) => boolean): Names {
  const known = new Map<number, { bytes: Buffer; name: Name }[]>()
  let count = 0
  function read(bytes: Buffer): Name {
    const text = unescapeJson(bytes.toString())
    const found = [...kinds.fields.of(text).kinds]
    const blocked = found.some((id) => kinds.get(id)?.class === 'C3')
    return { text, telling: blocked ? 2 : found.length > 0 ? 1 : 0, clean: isClean(text) }
  }
  return {
    at(bytes, start, end) {
      const length = end - start
      if (length > FIELD_NAME_LENGTH_MAX) return read(bytes.subarray(start, end))
      const middle = bytes[start + (length >> 1)] ?? 0
      const hash = length + 31 * ((bytes[start] ?? 0) + 31 * (middle + 31 * (bytes[end - 1] ?? 0)))
      const same = known.get(hash)
      for (const entry of same ?? [])
        if (isSame(entry.bytes, bytes, start, length)) return entry.name
      const entry = {
        bytes: Buffer.from(bytes.subarray(start, end)),
        name: read(bytes.subarray(start, end)),
      }
      // Names come from bodies: personal ones are not kept, and when there are too many, all go.
      if (!entry.name.clean || (same?.length ?? 0) >= BUCKET_SIZE_MAX) return entry.name
      if (++count > FIELD_NAMES_CACHED_MAX) {
        known.clear()
        count = 1
      }
      known.set(hash, [...(known.get(hash) ?? []), entry])
      return entry.name
    },
  }
}

function isSame(known: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (known.length !== length) return false
  for (let i = 0; i < length; i++) if (known[i] !== bytes[start + i]) return false
  return true
}

/** A JSON string's characters. What does not parse is inspected as it stands. */
export function unescapeJson(raw: string): string {
  if (!raw.includes('\\')) return raw
  try {
    return String(JSON.parse(`"${raw}"`))
  } catch (error) {
    if (error instanceof SyntaxError) return raw
    throw error
  }
}

/** Member names as they stand in bytes, looked up without decoding them each time. @module */
import { FIELD_NAME_LENGTH_MAX } from './limits.ts'
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

/** Names that are remembered at once, a power of two; of two that share a slot the later one is. */
const SLOTS = 4096

/** Binds to a dictionary; `isClean` judges a name as a text. */
export function createNames(kinds: Kinds, isClean: (text: string) => boolean): Names {
  const spellings = Array.from({ length: SLOTS }, () => NEVER)
  const names = Array.from({ length: SLOTS }, () => NO_NAME)
  function read(bytes: Buffer): Name {
    const text = unescapeJson(bytes.toString())
    const found = [...kinds.fields.of(text).kinds]
    const blocked = found.some((id) => kinds.get(id)?.class === 'C3')
    return { text, telling: blocked ? 2 : found.length > 0 ? 1 : 0, clean: isClean(text) }
  }
  return {
    at(bytes, start, end) {
      const length = end - start
      if (length === 0 || length > FIELD_NAME_LENGTH_MAX) return read(bytes.subarray(start, end))
      const slot = slotOf(bytes, start, length)
      if (isSame(spellings[slot] as Buffer, bytes, start, length)) return names[slot] as Name
      const spelling = Buffer.from(bytes.subarray(start, end))
      const name = read(spelling)
      // Names come from bodies: personal ones are not kept.
      if (name.clean) {
        spellings[slot] = spelling
        names[slot] = name
      }
      return name
    },
  }
}

const NEVER = Buffer.alloc(0)

/** Four bytes and the length tell the names of one message apart; if not, they are only read again. */
function slotOf(bytes: Buffer, start: number, length: number): number {
  const first = bytes[start] as number
  const third = bytes[start + (length >> 2)] as number
  const middle = bytes[start + (length >> 1)] as number
  const last = bytes[start + length - 1] as number
  return (length + 31 * (first + 31 * (third + 31 * (middle + 31 * last)))) & (SLOTS - 1)
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

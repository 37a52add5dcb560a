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
  /** Its bytes when it is remembered, and where. */
  readonly spelling: Buffer
  readonly slot: number
}

/** The name of a value that has none. */
export const NO_NAME: Name = {
  text: '',
  telling: 0,
  clean: true,
  spelling: Buffer.alloc(0),
  slot: 0,
}

/** Reads names, and remembers a bounded number of them. Quotes are excluded from spans. */
export interface Names {
  /** @param previous the name before it in the document. */
  at(bytes: Buffer, start: number, end: number, previous: Name): Name
  /**
   * The name that came behind `previous` the last time, if it stands at `start` again: objects of
   * one kind have the same names in the same order.
   */
  after(bytes: Buffer, start: number, previous: Name): Name | undefined
}

/** Names that are remembered at once, a power of two; of two that share a slot the later one is. */
const SLOTS = 4096
const QUOTE = 0x22

/** Binds to a dictionary; `isClean` judges a name as a text. */
export function createNames(kinds: Kinds, isClean: (text: string) => boolean): Names {
  const known = Array.from({ length: SLOTS }, () => NO_NAME)
  const followers = new Uint16Array(SLOTS)
  function read(bytes: Buffer, slot: number): Name {
    const text = unescapeJson(bytes.toString())
    const found = [...kinds.fields.of(text).kinds]
    const blocked = found.some((id) => kinds.get(id)?.class === 'C3')
    const telling = blocked ? 2 : found.length > 0 ? 1 : 0
    return { text, telling, clean: isClean(text), spelling: bytes, slot }
  }
  return {
    at(bytes, start, end, previous) {
      const length = end - start
      if (length === 0 || length > FIELD_NAME_LENGTH_MAX)
        return { ...read(bytes.subarray(start, end), 0), spelling: NO_NAME.spelling }
      const slot = slotOf(bytes, start, length)
      let name = known[slot] as Name
      if (name.spelling.length !== length || !standsAt(bytes, start, name.spelling)) {
        name = read(Buffer.from(bytes.subarray(start, end)), slot)
        // Names come from bodies: personal ones are not kept.
        if (!name.clean) return { ...name, slot: 0 }
        known[slot] = name
      }
      followers[previous.slot] = slot
      return name
    },
    after(bytes, start, previous) {
      const name = known[followers[previous.slot] as number] as Name
      const { spelling } = name
      if (bytes[start + spelling.length] !== QUOTE || spelling.length === 0) return undefined
      return standsAt(bytes, start, spelling) ? name : undefined
    },
  }
}

/** Four bytes and the length tell the names of one message apart; if not, they are only read again. */
function slotOf(bytes: Buffer, start: number, length: number): number {
  const first = bytes[start] as number
  const third = bytes[start + (length >> 2)] as number
  const middle = bytes[start + (length >> 1)] as number
  const last = bytes[start + length - 1] as number
  return (length + 31 * (first + 31 * (third + 31 * (middle + 31 * last)))) & (SLOTS - 1)
}

function standsAt(bytes: Buffer, start: number, spelling: Buffer): boolean {
  for (let i = 0; i < spelling.length; i++) if (spelling[i] !== bytes[start + i]) return false
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

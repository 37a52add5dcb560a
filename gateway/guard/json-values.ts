/**
 * Visits the keys and scalars of serialized JSON that deserve a closer look. It trusts nothing and
 * never throws: bytes that are no JSON are visited as they come. @module
 */
import { NO_NAME, type Name, type Names } from './names.ts'
import { BARE, CONTROL, deserves, QUOTED, STOP } from './suspicion.ts'

/** A key or scalar; offsets are bytes and exclude the quotes. */
export interface JsonValue {
  readonly start: number
  readonly end: number
  /** The member name that applies: an array's elements have the array's. */
  readonly name: Name
  /** Open brackets around it. */
  readonly depth: number
  readonly quoted: boolean
}

/** Visits suspicious values in document order. Linear in `bytes`. */
export function visitSuspicious(
  bytes: Buffer,
  names: Names,
  visit: (value: JsonValue) => void,
): void {
  const { length } = bytes
  const open: Name[] = [] // Per open bracket: the name to return to.
  let name = NO_NAME
  let previous = NO_NAME
  let at = 0
  while (at < length) {
    const byte = bytes[at] as number
    if (byte <= 0x20 || byte === 0x2c || byte === 0x3a) {
      at++
      continue
    }
    if (byte === 0x7b || byte === 0x5b) {
      open.push(name)
      if (byte === 0x7b) name = NO_NAME
      at++
      continue
    }
    if (byte === 0x7d || byte === 0x5d) {
      name = open.pop() ?? NO_NAME
      at++
      continue
    }
    const quoted = byte === 0x22
    const start = quoted ? at + 1 : at
    const guess = quoted ? names.after(bytes, start, previous) : undefined
    if (guess !== undefined && colonFollows(bytes, start + guess.spelling.length + 1)) {
      name = previous = guess
      at = start + guess.spelling.length + 1
      continue
    }
    const table = quoted ? QUOTED : BARE
    let traits = 0
    let end = start
    for (; end < length; end++) {
      const trait = table[bytes[end] as number] as number
      if (trait >= CONTROL) {
        if (trait === STOP) break
        end++
      }
      traits |= trait
    }
    at = quoted ? end + 1 : end
    if (quoted && colonFollows(bytes, at)) {
      name = previous = names.at(bytes, start, end, previous)
      if (!name.clean) visit({ start, end, name: NO_NAME, depth: open.length, quoted })
    } else if (deserves(name, bytes, traits, start, end)) {
      visit({ start, end, name, depth: open.length, quoted })
    }
  }
}

function colonFollows(bytes: Buffer, from: number): boolean {
  let at = from
  while ((bytes[at] ?? 0xff) <= 0x20) at++
  return bytes[at] === 0x3a
}

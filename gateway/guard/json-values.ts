/**
 * Visits the keys and scalars of serialized JSON that deserve a closer look. It trusts nothing and
 * never throws: bytes that are no JSON are visited as they come. @module
 */
import { NO_NAME, type Name, type Names } from './names.ts'
import { DIGIT, DOT, END, ESCAPE, QUOTE, TRAITS } from './suspicion.ts'
import { isSuspicious, isTelling, isTimestamp } from './suspicion.ts'

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
  const open: Name[] = [] // Per open bracket: the name to return to.
  let name = NO_NAME
  let at = 0
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0
    if (byte <= 0x20 || byte === 0x2c || byte === 0x3a) at++
    else if (byte === 0x7b || byte === 0x5b) {
      open.push(name)
      if (byte === 0x7b) name = NO_NAME
      at++
    } else if (byte === 0x7d || byte === 0x5d) {
      name = open.pop() ?? NO_NAME
      at++
    } else {
      const quoted = byte === 0x22
      const start = quoted ? at + 1 : at
      let traits = 0
      let digits = 0
      let dots = 0
      let end = start
      const stop = quoted ? QUOTE : END
      for (; end < bytes.length; end++) {
        const trait = TRAITS[bytes[end] ?? 0] ?? 0
        if (trait >= QUOTE) {
          if ((trait & stop) !== 0) break
          if ((trait & ESCAPE) !== 0) end++
        }
        traits |= trait
        digits += trait & DIGIT
        dots += (trait & DOT) >> 7
      }
      at = quoted ? end + 1 : end
      if (quoted && colonFollows(bytes, at)) {
        name = names.at(bytes, start, end)
        if (!name.clean) visit({ start, end, name: NO_NAME, depth: open.length, quoted })
        continue
      }
      const suspicious = isSuspicious(bytes, { traits, digits, dots, start, end })
      if (suspicious ? !isTimestamp(bytes, start, end) : isTelling(name, bytes, start, end)) {
        visit({ start, end, name, depth: open.length, quoted })
      }
    }
  }
}

function colonFollows(bytes: Buffer, from: number): boolean {
  let at = from
  while ((bytes[at] ?? 0xff) <= 0x20) at++
  return bytes[at] === 0x3a
}

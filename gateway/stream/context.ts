/** Remembers which brackets are open in JSON that goes by, and under which names. @module */

/** See `createContext`. */
export interface Context {
  /** What would open the same brackets: `{"applicant":{"mobiles":[`, with nothing closed in it. */
  opening(): Buffer
  /** Goes on over the next part, which is cut between two values. */
  read(bytes: Buffer): void
}

/** A longer name says nothing to a detector, and memory is the caller's to fill. */
const NAME_BYTES_MAX = 128
const EMPTY = Buffer.alloc(0)

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c

/** Starts outside of any bracket. The JSON is well-formed: our own engine writes it. */
export function createContext(): Context {
  // Per open bracket: what stands before it, and the bracket.
  const open: Buffer[] = []
  let name: Buffer = EMPTY
  let afterColon = false

  const readString = (bytes: Buffer, from: number): number => {
    let at = from + 1
    while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
    if (!afterColon) {
      const text = bytes.subarray(from, at + 1)
      name = text.length <= NAME_BYTES_MAX ? Buffer.from(text) : Buffer.from('""')
    }
    return at + 1
  }

  return {
    opening: () => Buffer.concat(open),
    read: (bytes) => {
      for (let at = 0; at < bytes.length;) {
        const byte = bytes[at] as number
        if (byte === QUOTE) at = readString(bytes, at)
        else {
          at++
          if (byte === COLON) afterColon = true
          else if (byte === COMMA) afterColon = false
          else if (byte === 0x7b || byte === 0x5b) {
            const before = afterColon ? [name, Buffer.from(':')] : []
            open.push(Buffer.concat([...before, bytes.subarray(at - 1, at)]))
            afterColon = false
          } else if (byte === 0x7d || byte === 0x5d) {
            open.pop()
            afterColon = false
          }
        }
      }
    },
  }
}

/** A text's UTF-16 units as numbers: read one by one from the string they take three times as long. @module */

/** Where the units stand until the next text comes: an array for each costs too much. */
const scratch = new Uint16Array(32 * 1024)
const bytes = Buffer.from(scratch.buffer)

/** Up to here a loop is done before a call has begun. */
const SHORT_LENGTH = 32

/** The units of a text, and whatever behind them; to be read before the next call. */
export function unitsOf(text: string): Uint16Array {
  if (text.length > scratch.length) {
    const units = new Uint16Array(text.length)
    Buffer.from(units.buffer).write(text, 'utf16le')
    return units
  }
  if (text.length > SHORT_LENGTH) bytes.write(text, 'utf16le')
  else for (let at = 0; at < text.length; at++) scratch[at] = text.charCodeAt(at)
  return scratch
}

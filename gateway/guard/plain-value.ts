/** Which values that stand in no JSON deserve a closer look: the same question, asked of a text. @module */
import type { Name } from './names.ts'
import { CONTROL, deserves, QUOTED } from './suspicion.ts'

/** Longer values are looked at in any case. */
const LENGTH_MAX = 1024
/** Where a value's bytes stand while it is judged: a buffer for each costs too much. */
const bytes = Buffer.alloc(3 * LENGTH_MAX)

/**
 * Whether a text has what an identifier or an encoding needs at least, or stands under a telling name.
 * Beyond ASCII any byte is as good as another, as long as there are as many.
 */
export function deservesLook(text: string, name: Pick<Name, 'telling'>): boolean {
  if (text.length > LENGTH_MAX) return true
  let traits = 0
  let end = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x80) {
      traits |= QUOTED[code] as number
      bytes[end++] = code
      if (code < 0x20) return true
    } else {
      traits |= QUOTED[0x80] as number
      bytes[end++] = 0x80
      bytes[end++] = 0x80
      if (code >= 0x800) bytes[end++] = 0x80
    }
  }
  // What JSON escapes is a mark there too: quotes, backslashes.
  if (traits >= CONTROL) return true
  return deserves(name, bytes, traits, 0, end)
}

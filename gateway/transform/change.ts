/** What transforms answer, made in one place. @module */
import type { Change, Transform } from './transform.ts'

/** Leaves a value as it came. */
export const KEEP: Change = { change: 'keep' }
/** Removes a value together with its name. */
export const DROP: Change = { change: 'drop' }

/** Puts a text in a value's place. */
export function toText(text: string): Change {
  return { change: 'text', text }
}

/** Refuses the exchange; `why` reaches the caller and names no value. */
export function toRefusal(why: string): Change {
  return { change: 'refuse', why }
}

/** A transform that keeps null, replaces every other value, at once or late, and refuses what has no replacement. */
export function replaceBy(
  replace: (source: string) => string | (() => string) | undefined,
  why = 'expected another value',
): Transform {
  const unsuitable = toRefusal(why)
  return (value) => {
    if (value.type === 'null') return KEEP
    const text = replace(value.reveal())
    if (text === undefined) return unsuitable
    return typeof text === 'string' ? toText(text) : { change: 'token', text }
  }
}

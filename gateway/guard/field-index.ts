/** What the name of a field says about its values, in English, pinyin and Chinese. @module */
import { FIELD_NAMES_CACHED_MAX, FIELD_NAME_LENGTH_MAX } from './limits.ts'

/** What a field's name says. */
export interface FieldMeaning {
  /** Ids of the kinds that the field may hold. */
  readonly kinds: ReadonlySet<string>
  /** The name says order number, amount, time and the like. */
  readonly business: boolean
}

/** Looks names up. */
export interface FieldIndex {
  of(name: string | undefined): FieldMeaning
}

const NOTHING: FieldMeaning = { kinds: new Set(), business: false }
const BUSINESS = ''
/** From this length on a hint cannot be the end of an unrelated word. */
const UNAMBIGUOUS_LENGTH = 6

/** Builds the index from `fields` of each kind and from the names of business fields. */
export function createFieldIndex(
  kinds: readonly { readonly id: string; readonly fields: readonly string[] }[],
  businessFields: readonly string[],
): FieldIndex {
  const whole = new Map<string, Set<string>>()
  const endings = new Map<string, Set<string>>()
  for (const { id, fields } of [...kinds, { id: BUSINESS, fields: businessFields }]) {
    for (const field of fields) {
      const name = field.replace(/^\*/, '').toLowerCase()
      const table = field.startsWith('*') || !/^[a-z0-9]+$/.test(name) ? endings : whole
      table.set(name, (table.get(name) ?? new Set()).add(id))
    }
  }
  const cache = new Map<string, FieldMeaning>()
  function look(name: string): FieldMeaning {
    const words = wordsOf(name)
    // A number at the end only counts repetitions: `mobile2`.
    const last = words.at(-1)?.replace(/\d+$/, '') ?? ''
    const found = longest(words) ?? longest([...words.slice(0, -1), last])
    if (found === undefined) return NOTHING
    return {
      kinds: new Set([...found].filter((id) => id !== BUSINESS)),
      business: found.has(BUSINESS),
    }
  }
  /** The longest known ending decides: a device's fingerprint is no finger's. */
  function longest(words: readonly string[]): ReadonlySet<string> | undefined {
    const joined = words.join('')
    const exact = whole.get(joined)
    if (exact !== undefined) return new Set([...exact, ...(endings.get(joined) ?? [])])
    const boundaries = new Set<number>()
    for (let at = 0, i = 0; i < words.length; at += words[i++]?.length ?? 0) boundaries.add(at)
    for (let start = 0; start < joined.length; start++) {
      const free = joined.length - start >= UNAMBIGUOUS_LENGTH || joined.charCodeAt(start) > 0x7f
      const known = free || boundaries.has(start) ? endings.get(joined.slice(start)) : undefined
      if (known !== undefined) return known
    }
    return undefined
  }
  return {
    of(name) {
      if (name === undefined || name.length > FIELD_NAME_LENGTH_MAX) return NOTHING
      let meaning = cache.get(name)
      if (meaning === undefined) {
        meaning = look(name)
        // Names come from bodies, so there is no end to them.
        if (cache.size >= FIELD_NAMES_CACHED_MAX) cache.clear()
        cache.set(name, meaning)
      }
      return meaning
    },
  }
}

/** `applicant_idNumber2` → applicant, id, number2. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
}

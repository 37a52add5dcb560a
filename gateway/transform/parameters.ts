/** Reading an action's parameters: every mistake is complained of, none is thrown. @module */
import { nearestName } from '../../base/diagnostic.ts'
import type { Action, ActionParameter } from '../policy/policy.ts'

/** Reports one mistake: what is wrong, what to type, and its number when it has one. */
export type Complain = (message: string, help: string, code?: string) => void

/** Typed access; after a complaint it returns the fallback, since the policy will not load. */
export interface Parameters {
  has(name: string): boolean
  text(name: string, fallback?: string): string
  choice<const T extends string>(name: string, choices: readonly T[], fallback?: T): T
  integer(name: string, range: readonly [number, number], fallback?: number): number
  integers(name: string, range: readonly [number, number]): readonly number[]
  flag(name: string): boolean
}

/**
 * Opens the parameters of an action. `{ mask: surname }` is short for `{ mask: { preset: surname } }`
 * when `short` is `preset`; parameters may also stand beside the transform's name.
 *
 * @param known every name that the transform has.
 */
export function readParameters(
  action: Action,
  complain: Complain,
  short: string | undefined,
  known: readonly string[] = [],
): Parameters {
  const { transform } = action
  const names = short === undefined ? known : [short, ...known]
  const { [transform]: own = null, ...beside } = action.with
  const values: Record<string, ActionParameter> = beside
  if (isMap(own)) Object.assign(values, own)
  else if (own !== null && short !== undefined) values[short] = own
  else if (own !== null) complain(`\`${transform}\` takes no value`, `type \`${transform}\` alone`)

  for (const name of Object.keys(values)) {
    if (names.includes(name)) continue
    const rest = names.length === 0 ? `remove \`${name}\`` : `it knows ${quoted(names)}`
    const help = meant(name, names) ?? rest
    complain(`\`${transform}\` has no parameter \`${name}\``, help)
  }
  const get = (name: string) => (Object.hasOwn(values, name) ? values[name] : undefined)
  const wrong = (name: string, expected: string, help = `expected ${expected}`) =>
    complain(`\`${name}\` of \`${transform}\` is not usable`, help)
  const isWithin = (value: unknown, [least, most]: readonly [number, number]): value is number =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most

  return {
    has: (name) => get(name) !== undefined,
    text(name, fallback) {
      const value = get(name) ?? fallback
      if (typeof value === 'string' && value !== '') return value
      wrong(name, 'a text')
      return ''
    },
    choice(name, choices, fallback) {
      const value = get(name) ?? fallback
      const found = choices.find((choice) => choice === value)
      if (found !== undefined) return found
      wrong(name, `one of ${quoted(choices)}`, meant(value, choices))
      return choices[0] as (typeof choices)[number]
    },
    integer(name, range, fallback) {
      const value = get(name) ?? fallback
      if (isWithin(value, range)) return value
      wrong(name, `a whole number from ${range[0]} to ${range[1]}`)
      return range[0]
    },
    integers(name, range) {
      const value = get(name)
      if (Array.isArray(value)) {
        const list: readonly unknown[] = value
        const numbers = list.filter((item) => isWithin(item, range))
        if (numbers.length > 0 && numbers.length === list.length) return numbers
      }
      wrong(name, `a list of whole numbers from ${range[0]} to ${range[1]}`)
      return [range[0]]
    },
    flag(name) {
      const value = get(name) ?? false
      if (typeof value === 'boolean') return value
      wrong(name, '`true` or `false`')
      return false
    },
  }
}

function meant(wrong: ActionParameter | undefined, names: readonly string[]): string | undefined {
  const nearest = typeof wrong === 'string' ? nearestName(wrong, names) : undefined
  return nearest && `did you mean \`${nearest}\`?`
}

/** Lists names in back-quotes. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ')
}

function isMap(value: ActionParameter): value is { readonly [name: string]: ActionParameter } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

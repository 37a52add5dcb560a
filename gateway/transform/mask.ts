/** mask: some characters stay, the others become one sign. Counted in code points. @module */
import type { Mask } from '../guard/kinds.ts'
import { surnameLength } from '../guard/surnames.ts'
import { replaceBy } from './change.ts'
import { type Complain, type Parameters, readParameters } from './parameters.ts'
import type { TransformType } from './transform.ts'

const CHARACTERS_MAX = 1000
const PRESETS = [
  'default',
  'all',
  'surname',
  'name',
  'mobile',
  'landline',
  'resident-id',
  'bank-card',
  'passport',
  'plate',
  'account',
  'email',
  'address',
] as const
type Preset = Exclude<(typeof PRESETS)[number], 'default'>

/** The mask that the kinds dictionary gives a kind. */
export type DefaultMask = (kind: string) => Mask | undefined

/** How to cut, and how many signs stand for what is hidden when not as many as it has characters. */
interface Mode {
  readonly cut: Cut
  readonly signs?: number
}

/** Cuts a value into what shows before, how many characters are hidden, and what shows after. */
type Cut = (value: string) => readonly [string, number, string]

/**
 * `{ mask: surname }` or `{ mask: { first: 3, last: 4 } }`; `between: [4, 7]` hides these characters,
 * counted from 1. `with` is the sign, `length` how many signs to write, so that the length of what
 * is hidden does not show. Without parameters, or as `{ mask: default }`, the rule's kind decides:
 * by the dictionary, by a preset of its name, or everything is hidden.
 * A value too short to hide anything of is hidden whole.
 */
export const createMask =
  (defaultMask?: DefaultMask): TransformType =>
  (action, binding, complain) => {
    const names = ['first', 'last', 'between', 'with', 'length']
    const parameters = readParameters(action, complain, 'preset', names)
    const { cut, signs } = readCut(parameters, complain, () => cutOfKind(binding.kind, defaultMask))
    const sign = parameters.text('with', '*')
    if ([...sign].length > 1) complain('`with` of `mask` is too long', 'expected one character')
    const length = parameters.has('length')
      ? parameters.integer('length', [1, CHARACTERS_MAX])
      : signs
    return replaceBy((source) => {
      const [before, hidden, after] = cut(source)
      return before + sign.repeat(length ?? hidden) + after
    })
  }

function readCut(parameters: Parameters, complain: Complain, ofKind: () => Mode): Mode {
  const range = [0, CHARACTERS_MAX] as const
  const ends = parameters.has('first') || parameters.has('last')
  const forms = [parameters.has('preset'), ends, parameters.has('between')]
  if (forms.filter(Boolean).length > 1) {
    complain('`mask` is given in two ways', 'choose a preset, or `first` and `last`, or `between`')
  }
  if (ends)
    return {
      cut: showEnds(parameters.integer('first', range, 0), parameters.integer('last', range, 0)),
    }
  if (parameters.has('between')) {
    const [from = 1, to = 1, ...rest] = parameters.integers('between', [1, CHARACTERS_MAX])
    if (from > to || rest.length > 0) {
      complain('`between` of `mask` is not a range', 'type `between: [4, 7]`')
    }
    return { cut: hideBetween(from, to) }
  }
  const preset = parameters.choice('preset', PRESETS, 'default')
  return preset === 'default' ? ofKind() : CUTS[preset]
}

function cutOfKind(kind: string, defaultMask?: DefaultMask): Mode {
  const known = defaultMask?.(kind)
  if (known !== undefined && 'first' in known) return { cut: showEnds(known.first, known.last) }
  const name = known?.preset ?? kind
  return Object.hasOwn(CUTS, name) ? CUTS[name as Preset] : CUTS.all
}

/** Shows the first and last characters of a value that has more than those. */
function showEnds(first: number, last: number): Cut {
  return (value) => {
    const count = countOf(value)
    if (count <= first + last) return ['', count, '']
    return between(value, count, first, count - last)
  }
}

function hideBetween(from: number, to: number): Cut {
  return (value) => {
    const count = countOf(value)
    if (count < from) return ['', count, '']
    return between(value, count, from - 1, Math.min(to, count))
  }
}

/** Shows what the pattern's first group matches, and its second, when there is one. */
function showGroups(pattern: RegExp): Cut {
  return (value) => {
    const match = pattern.exec(value)
    const [before, after] = [match?.[1] ?? '', match?.[2] ?? '']
    return [before, countOf(value.slice(before.length, value.length - after.length)), after]
  }
}

/** Code points from `start` to `end` are hidden. */
function between(value: string, count: number, start: number, end: number): ReturnType<Cut> {
  // Most values have one UTF-16 unit for each, and need not be taken apart.
  const characters = count === value.length ? value : [...value]
  const [before, after] = [characters.slice(0, start), characters.slice(end)]
  const textOf = (part: string | string[]) => (typeof part === 'string' ? part : part.join(''))
  return [textOf(before), end - start, textOf(after)]
}

/** Code points; a surrogate that stands alone is one. */
function countOf(value: string): number {
  let count = 0
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at)
    const isPair =
      unit >= 0xd800 && unit <= 0xdbff && (value.charCodeAt(at + 1) & 0xfc00) === 0xdc00
    if (isPair) at++
    count++
  }
  return count
}

/** U+00B7 and the dots that stand for it in names of minorities and foreigners. */
const DOTS = /[\u00b7\u2022\u2027\u30fb\uff0e.]/

/** The surname shows; of a name with a dot, the last character; of one character, nothing. */
const cutSurname: Cut = (value) => {
  if (DOTS.test(value)) return showEnds(0, 1)(value)
  const compound = surnameLength(value) === 2 && countOf(value) > 2
  return showEnds(compound ? 2 : 1, 0)(value)
}

/** Mainland mobiles show 3 + 4, shorter numbers of Hong Kong, Macau and Taiwan 2 + 2. */
const cutMobile: Cut = (value) => (value.length < 11 ? showEnds(2, 2) : showEnds(3, 4))(value)

/** Province, city, district: a tail such as 小区 is a housing estate, not a district. */
const ADDRESS =
  /^((?:\p{Script=Han}{2,8}?(?:省|自治区|特别行政区))?(?:\p{Script=Han}{2,8}?(?:市|自治州|地区|盟))?(?:\p{Script=Han}{1,8}?(?:(?<![小社园校景厂库片])区|县|旗|市))?)/u

// prettier-ignore
const CUTS: Readonly<Record<Preset, Mode>> = {
  'all':         { cut: showEnds(0, 0), signs: 4 },
  'surname':     { cut: cutSurname },
  'name':        { cut: cutSurname },
  'mobile':      { cut: cutMobile },
  'landline':    { cut: showGroups(/^((?:\+?86[- ]?)?0\d{2,3}-).*(\d{4})$/s) },
  'resident-id': { cut: showEnds(1, 1) },
  'bank-card':   { cut: showEnds(0, 4) },
  'passport':    { cut: showEnds(1, 3) },
  'plate':       { cut: showEnds(2, 1) },
  'account':     { cut: showEnds(0, 4) },
  'email':       { cut: showGroups(/^([^@])[^@]*(@[^@]+)$/s), signs: 2 },
  'address':     { cut: showGroups(ADDRESS), signs: 4 },
}

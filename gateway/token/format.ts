/**
 * Formats of format-preserving tokens. A token keeps the length and alphabet of its kind, is never a
 * valid identifier of anybody, and can be told from one by its text. @module
 */
import { passesLuhn, residentCheckDigit } from '../guard/validators.ts'

/** Ranks the clear values of a kind, and spells their tokens. */
export interface Format {
  /** Separates the keys of formats: part of the domain. */
  readonly name: string
  /** Ranks and token numbers are below this; at least 1,000,000. */
  readonly size: bigint
  /** The number of a clear value; undefined when it is not one. */
  rank(clear: string): bigint | undefined
  /** The clear value of a number; undefined when no value has it, so the token was forged. */
  unrank(rank: bigint): string | undefined
  write(number: bigint): string
  /** The number of a token, below `size`; undefined when the text is not one. */
  read(token: string): bigint | undefined
}

/** What officers type beside `format-preserving` for kinds that have no format here. */
export const FORMAT_KINDS = ['mobile', 'resident-id', 'bank-card'] as const

const CHECKS = '0123456789X'
const DAY_MS = 86_400_000
const FIRST_DAY = Date.UTC(1900, 0, 1)
const DAYS = BigInt((Date.UTC(2100, 0, 1) - FIRST_DAY) / DAY_MS)

/** The formats of a kind that can have format-preserving tokens without a template. */
export function formatsOfKind(kind: string): readonly Format[] {
  if (kind === 'mobile') return [MOBILE]
  if (kind === 'resident-id') return [RESIDENT_ID]
  return kind === 'bank-card' ? BANK_CARDS : []
}

/** Tells by its text whether a value is a format-preserving token of a kind. */
export function isFormatToken(kind: string, text: string): boolean {
  return formatsOfKind(kind).some((format) => format.read(text) !== undefined)
}

/**
 * 1[3-9] and 9 digits become [2-7] and 10 digits: 7 × 10⁹ numbers do not fit into the unassigned
 * segments 10x to 12x, and no mobile number, area code or card begins with 2 to 7 at this length
 * (8 would: 852 and 853 lead to Hong Kong and Macau). Of eight made-up tokens seven have no clear value.
 */
const MOBILE: Format = {
  name: 'mobile',
  size: 60_000_000_000n,
  rank: (clear) => (/^1[3-9]\d{9}$/.test(clear) ? BigInt(clear) - 13_000_000_000n : undefined),
  unrank: (rank) => (rank < 7_000_000_000n ? String(rank + 13_000_000_000n) : undefined),
  write: (number) => String(number + 20_000_000_000n),
  read: (token) => (/^[2-7]\d{10}$/.test(token) ? BigInt(token) - 20_000_000_000n : undefined),
}

/**
 * Region, birth day and sequence number become 15 digits, set as 0ddddddddd9ddddddC: no region begins
 * with 0, no month with 9, and C is a wrong check character. Of ten made-up
 * tokens nine have no clear value.
 */
const RESIDENT_ID: Format = {
  name: 'resident-id',
  size: 10n ** 15n,
  rank(clear) {
    if (!/^\d{17}[\dXx]$/.test(clear)) return undefined
    if (residentCheckDigit(clear) !== clear.charAt(17).toUpperCase()) return undefined
    const date = `${clear.slice(6, 10)}-${clear.slice(10, 12)}-${clear.slice(12, 14)}`
    const sinceFirst = Date.parse(`${date}T00:00:00Z`) - FIRST_DAY
    if (Number.isNaN(sinceFirst)) return undefined
    const day = BigInt(sinceFirst / DAY_MS)
    if (day < 0n || day >= DAYS || dateOf(day) !== date) return undefined
    return (BigInt(clear.slice(0, 6)) * DAYS + day) * 1000n + BigInt(clear.slice(14, 17))
  },
  unrank(rank) {
    const region = String(rank / 1000n / DAYS).padStart(6, '0')
    if (region.length > 6) return undefined
    const date = dateOf((rank / 1000n) % DAYS).replaceAll('-', '')
    const digits = region + date + String(rank % 1000n).padStart(3, '0')
    return digits + residentCheckDigit(digits)
  },
  write(number) {
    const digits = String(number).padStart(15, '0')
    const token = `0${digits.slice(0, 9)}9${digits.slice(9)}`
    return token + wrongCheck(token)
  },
  read(token) {
    const match = /^(0(\d{9})9(\d{6}))([\dX])$/.exec(token)
    if (match === null || wrongCheck(match[1] ?? '') !== match[4]) return undefined
    return BigInt(`${match[2]}${match[3]}`)
  },
}

function dateOf(day: bigint): string {
  return new Date(FIRST_DAY + Number(day) * DAY_MS).toISOString().slice(0, 10)
}

/** The next character after the right one with which the whole is not a card number either. */
function wrongCheck(digits: string): string {
  const right = CHECKS.indexOf(residentCheckDigit(digits))
  const [next, second] = [1, 2].map((off) => CHECKS.charAt((right + off) % CHECKS.length))
  return (passesLuhn(`${digits}${next}`) ? second : next) ?? ''
}

/**
 * n digits that pass Luhn become 0, n − 2 digits and a last digit that fails Luhn by 1 to 9; how far
 * it is off carries the first digit. No card number begins with 0.
 */
const BANK_CARDS: readonly Format[] = [13, 14, 15, 16, 17, 18, 19].map((length) => {
  const least = 10n ** BigInt(length - 2)
  return {
    name: `bank-card/${length}`,
    size: 9n * least,
    rank(clear) {
      if (clear.length !== length || !/^[1-9]\d*$/.test(clear) || !passesLuhn(clear))
        return undefined
      return BigInt(clear.slice(0, -1)) - least
    },
    unrank: (rank) => withLuhn(String(rank + least), 0),
    write(number) {
      const digits = String(number + least)
      return withLuhn(`0${digits.slice(1)}`, Number(digits.charAt(0)))
    },
    read(token) {
      if (token.length !== length || !/^0\d*$/.test(token)) return undefined
      const payload = token.slice(0, -1)
      const error = [1, 2, 3, 4, 5, 6, 7, 8, 9].find((off) => withLuhn(payload, off) === token)
      return error === undefined ? undefined : BigInt(`${error}${payload.slice(1)}`) - least
    },
  }
})

/** Appends the Luhn check digit, plus `off`. */
function withLuhn(payload: string, off: number): string {
  const check = [...'0123456789'].findIndex((digit) => passesLuhn(payload + digit))
  return payload + String((check + off) % 10)
}

/**
 * A format from two templates: `#` is a digit, `@` a letter from A to Z, anything else stands for
 * itself. `{ template: 'E########', as: 'T########' }`: what stands for itself must differ.
 *
 * @returns what is wrong, as a text, when the two cannot make a format.
 */
export function formatOfTemplate(template: string, as: string): Format | string {
  const [clear, token] = [[...template], [...as]]
  const signs = clear.filter(isPlace).join('')
  if (clear.length !== token.length || token.filter(isPlace).join('') !== signs) {
    return '`template` and `as` need one length, and the same `#` and `@` in order'
  }
  // Where both show a fixed sign they must differ somewhere, or a token could be a clear value.
  if (
    !clear.some((sign, at) => sign !== token[at] && !isPlace(sign) && !isPlace(token[at] ?? ''))
  ) {
    return "`as` needs another fixed sign than `template`, or a token could be somebody's number"
  }
  const size = [...signs].reduce((product, sign) => product * radixOf(sign), 1n)
  const parse = (pattern: RegExp, text: string): bigint | undefined => {
    const found = pattern.exec(text)?.slice(1).join('')
    if (found === undefined) return undefined
    return [...found].reduce((number, sign, index) => {
      const radix = radixOf(signs.charAt(index))
      return number * radix + BigInt(Number.parseInt(sign, 36) - (radix === 26n ? 10 : 0))
    }, 0n)
  }
  const spell = (text: string, number: bigint): string => {
    let rest = number
    return [...text]
      .reverse()
      .map((sign) => {
        if (!isPlace(sign)) return sign
        const digit = Number(rest % radixOf(sign))
        rest /= radixOf(sign)
        return sign === '#' ? String(digit) : String.fromCharCode(65 + digit)
      })
      .reverse()
      .join('')
  }
  const [clearPattern, tokenPattern] = [toPattern(template), toPattern(as)]
  return {
    name: `template ${template} ${as}`,
    size,
    rank: (clear) => parse(clearPattern, clear),
    unrank: (rank) => spell(template, rank),
    write: (number) => spell(as, number),
    read: (token) => parse(tokenPattern, token),
  }
}

const isPlace = (sign: string): boolean => sign === '#' || sign === '@'
const radixOf = (sign: string): bigint => (sign === '@' ? 26n : 10n)

function toPattern(template: string): RegExp {
  const source = template.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  return new RegExp(`^${source.replaceAll('#', '([0-9])').replaceAll('@', '([A-Z])')}$`)
}

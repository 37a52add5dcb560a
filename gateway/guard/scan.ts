/** One text under inspection: its words, the meaning of its field, and the hits found so far. @module */
import { CONTEXT_AFTER_MAX, CONTEXT_BEFORE_MAX, REFUSE_SCORE } from './limits.ts'
import type { FieldMeaning } from './field-index.ts'
import type { Kinds } from './kinds.ts'
import { unitsOf } from './units.ts'

/** A place where a detector found personal data. Offsets count UTF-16 units. */
export interface Hit {
  readonly start: number
  readonly end: number
  readonly kind: string
  /** 0 … 1: how sure the detector is. */
  readonly score: number
  /** Shape, checksum and context that led here; never the value. */
  readonly why: string
}

/** A maximal run of ASCII letters and digits that holds at least one digit. */
export interface Word {
  readonly start: number
  readonly end: number
  readonly text: string
  /** Only digits, or digits and a last X. */
  readonly number: boolean
}

/** What detectors look at, and where they report. What a text holds lets a detector pass by without looking. */
export interface Scan {
  /** Normalised by `toAscii`; same length as the original. */
  readonly text: string
  readonly field: FieldMeaning
  readonly kinds: Kinds
  readonly words: Word[]
  /** Of all words. */
  digits: number
  dots: number
  colons: number
  dashes: number
  /** Something beyond ASCII, so perhaps Han. */
  wide: boolean
  /** Three letters in a row: the shortest Latin label. */
  label: boolean
  /** In lower case, once somebody asked for it. */
  lower: string | undefined
  /** What was reported; undefined when nothing was. */
  hits: Hit[] | undefined
}

const FIELD_BONUS = 0.3
const CONTEXT_BONUS = 0.2
const BUSINESS_MALUS = 0.3
/** Kinds that segment, checksum or range tell apart, when nothing else stands in the value. */
const UNMISTAKABLE = new Set(['mobile', 'resident-id', 'bank-card'])

/** Prepares a text. */
export function createScan(text: string, field: FieldMeaning, kinds: Kinds): Scan {
  // prettier-ignore
  const scan: Scan = {
    text, field, kinds, words: [], digits: 0, dots: 0, colons: 0, dashes: 0, wide: false, label: false,
    lower: undefined, hits: undefined,
  }
  survey(scan)
  return scan
}

/**
 * Reports a possible hit. Field name and context words raise the score, business words lower it.
 *
 * @param base the score that shape, semantics and checksum earn by themselves.
 * @param why what earned the base score.
 */
// prettier-ignore
export function addHit(scan: Scan, kind: string, start: number, end: number, base: number, why: string): void {
  const { text, field, kinds } = scan
  const reasons = [why]
  let score = base
  const named = field.kinds.has(kind)
  if (named) {
    score += FIELD_BONUS
    reasons.push('field name')
  }
  scan.lower ??= text.toLowerCase()
  const before = scan.lower.slice(Math.max(0, start - CONTEXT_BEFORE_MAX), start)
  const after = scan.lower.slice(end, end + CONTEXT_AFTER_MAX)
  const words = kinds.get(kind)?.context ?? []
  const near = Math.max(lastWord(before, words), lastWord(after, words) >= 0 ? 0 : -1)
  const business = lastWord(before, kinds.businessContext)
  // In a field that should hold a business number, a number that is surely somebody's is still a leak.
  const isWhole =
    UNMISTAKABLE.has(kind) && base >= REFUSE_SCORE && text.slice(start, end) === text.trim()
  if (near >= 0 && near >= business) {
    score += CONTEXT_BONUS
    reasons.push('context')
  } else if (business >= 0 || (field.business && !named && !isWhole)) {
    score -= BUSINESS_MALUS
    reasons.push('business number')
  }
  if (score <= 0) return
  scan.hits ??= []
  scan.hits.push({ start, end, kind, score: Math.min(0.99, round(score)), why: reasons.join(', ') })
}

function round(score: number): number {
  return Math.round(score * 100) / 100
}

/** Where the last of `words` begins in `text`, or -1. Latin words do not match inside longer ones. */
function lastWord(text: string, words: readonly string[]): number {
  let last = -1
  for (const word of words) {
    const at = text.lastIndexOf(word)
    if (at > last && !(isLetter(text.charCodeAt(at - 1)) && isLetter(word.charCodeAt(0)))) last = at
  }
  return last
}

function isLetter(code: number): boolean {
  return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a
}

/** Whether a code unit is an ASCII digit. */
export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

const OTHER = 0
const LETTER = 1
const DIGIT = 2
const DOT = 3
const COLON = 4
const DASH = 5
/** What an ASCII character is to `survey`. */
const SORTS = new Uint8Array(128).map((_, code) => {
  if (isDigit(code)) return DIGIT
  if (isLetter(code)) return LETTER
  return code === 0x2e ? DOT : code === 0x3a ? COLON : code === 0x2d ? DASH : OTHER
})

/** Finds words with digits, and what else the text holds, in one pass. */
function survey(scan: Scan): void {
  const { text, words } = scan
  const { length } = text
  const units = unitsOf(text)
  let start = -1
  let digits = 0
  for (let at = 0; at <= length; at++) {
    const code = at < length ? (units[at] as number) : 0x20
    const sort = code < 128 ? (SORTS[code] as number) : OTHER
    if (sort === LETTER || sort === DIGIT) {
      if (sort === DIGIT) digits++
      if (start < 0) start = at
      continue
    }
    if (start >= 0) {
      if (at - start - digits >= 3) scan.label = true
      if (digits > 0) {
        scan.digits += digits
        words.push(wordOf(text, start, at, digits))
      }
      start = -1
      digits = 0
    }
    if (sort === DOT) scan.dots++
    else if (sort === COLON) scan.colons++
    else if (sort === DASH) scan.dashes++
    else if (code > 0x7f) scan.wide = true
  }
}

function wordOf(text: string, start: number, end: number, digits: number): Word {
  const word = text.slice(start, end)
  // The check character of a resident id may be X.
  const lastX = digits === word.length - 1 && digits <= 17 && /[Xx]$/.test(word)
  return { start, end, text: word, number: digits === word.length || lastX }
}

/** Detectors of numbers: resident ids, telephones, bank cards, SIM and device numbers. @module */
import { eachMatch } from './matches.ts'
import { addHit, isDigit, type Scan, type Word } from './scan.ts'
import * as is from './validators.ts'

/** Separated groups that people write; anything else in groups is not one number. */
// prettier-ignore
const GROUPINGS = new Set([
  '3-4-4', '3-3-5', '4-4-3', '4-3-4', '2-11', '2-3-4-4', '4-3-4-4',                     // mobile
  '4-4', '3-8', '3-9', '4-3-3', '3-3-3-3',                                                     // Hong Kong, Macau, Taiwan
  '4-4-4-4', '4-4-4-4-1', '4-4-4-4-2', '4-4-4-4-3', '6-10', '6-11', '6-12', '6-13', '4-6-5', // cards
  '6-8-4', '6-4-4-4', '3-3-8-4', '3-3-4-4-4', '6-9',                                    // resident id
  '2-6-6-1', '6-2-6-1', '5-5-5-4', '5-5-5-5',                                           // IMEI, ICCID
])
const GROUPS_MAX = 5
/** A Hong Kong telephone number. */
const DIGITS_MIN = 8
const SEPARATOR = /^[ .·_\u00a0\u2010-\u2015-]$/

/** A number as written: its digits together, and where they stand. */
interface Candidate {
  readonly digits: string
  readonly start: number
  readonly end: number
  /** Taken off every score: letters touch the number, or it is a decimal. */
  readonly malus: number
}

/** Finds numbers that identify people. Linear: each word starts at most `GROUPS_MAX` candidates. */
export function findNumbers(scan: Scan): void {
  for (let index = 0; index < scan.words.length; index++) findNumber(scan, index)
  findLandlines(scan)
  if (scan.text.includes('=') || scan.text.includes('D')) findTracks(scan)
}

function findNumber(scan: Scan, index: number): void {
  const word = scan.words[index] as Word
  if (!word.number) {
    const glued = word.text.length < GLUED_LENGTH_MIN ? null : GLUED.exec(word.text)
    const digits = glued?.[1] ?? ''
    const start = word.start + word.text.indexOf(digits)
    if (glued !== null) judge(scan, { digits, start, end: start + digits.length, malus: 0.25 })
    return
  }
  const { text, start, end } = word
  if (text.length >= DIGITS_MIN)
    judge(scan, { digits: text, start, end, malus: decimalMalus(scan.text, word) })
  let digits = text
  let grouping = `${digits.length}`
  for (let i = index + 1; i < index + GROUPS_MAX; i++) {
    const previous = scan.words[i - 1]
    const next = scan.words[i]
    if (previous === undefined || next === undefined || !next.number) break
    if (!SEPARATOR.test(scan.text.slice(previous.end, next.start))) break
    digits += next.text
    grouping += `-${next.text.length}`
    if (digits.length > 20) break
    if (!GROUPINGS.has(grouping)) continue
    judge(scan, { digits, start, end: next.end, malus: 0 })
  }
}

/** A number with letters at its ends. */
const GLUED = /^[A-Za-z]*(\d{11,20})[A-Za-z]*$/
const GLUED_LENGTH_MIN = 12

function judge(scan: Scan, candidate: Candidate): void {
  const { digits } = candidate
  if (digits.length < DIGITS_MIN) return
  if (digits.length === 15 || digits.length === 18) judgeResidentId(scan, candidate)
  judgeMobile(scan, candidate)
  if (/^\d{13,19}$/.test(digits)) judgeCard(scan, candidate)
  if (digits.length === 15) judgeDevice(scan, candidate)
  if (/^89860\d{14,15}$/.test(digits))
    add(
      scan,
      candidate,
      'iccid',
      is.passesLuhn(digits) ? 0.85 : 0.7,
      'ICCID of a mainland operator',
    )
  if (/^2088\d{12}$/.test(digits)) add(scan, candidate, 'alipay-id', 0.5, '2088 and 12 digits')
}

function add(scan: Scan, candidate: Candidate, kind: string, base: number, why: string): void {
  addHit(scan, kind, candidate.start, candidate.end, base - candidate.malus, why)
}

function judgeResidentId(scan: Scan, candidate: Candidate): void {
  const id = is.parseResidentId(candidate.digits)
  if (id === undefined) return
  if (id.form === 'legacy') {
    if (id.provinceKnown)
      add(scan, candidate, 'resident-id', 0.3, '15 digits with province and date')
  } else if (id.checked) {
    const base = id.provinceKnown ? 0.95 : 0.8
    add(scan, candidate, 'resident-id', base, `${id.form} id: date and check digit`)
  } else if (id.provinceKnown) {
    // Mistyped and made-up ids; the date alone is weak, so context must help.
    add(scan, candidate, 'resident-id', 0.4, 'province and date, wrong check digit')
  }
}

function judgeMobile(scan: Scan, { digits, start, end, malus }: Candidate): void {
  if (MOBILE.test(digits)) {
    const mobile = digits.slice(-MOBILE_DIGITS)
    const plus = isPlus(scan, start) ? 1 : 0
    const base = is.hasMobileSegment(mobile) ? 0.65 : 0.45
    const bonus = plus === 1 || digits !== mobile ? 0.2 : 0
    addHit(scan, 'mobile', start - plus, end, base + bonus - malus, 'mobile segment and length')
    return
  }
  // A `+` says that what follows is a country code.
  const bonus = isPlus(scan, start) && digits.startsWith('8') ? 0.5 : 0
  for (const { length, shape, base, why } of OTHER_MOBILES) {
    if (length === digits.length && shape.test(digits))
      addHit(scan, 'mobile', start, end, base + bonus - malus, why)
  }
}

const MOBILE = /^(?:0086|86)?1[3-9]\d{9}$/
const MOBILE_DIGITS = 11

/** Told apart by their length first: most numbers are spared most shapes. */
// prettier-ignore
const OTHER_MOBILES: readonly { readonly length: number; readonly shape: RegExp; readonly base: number; readonly why: string }[] = [
  { length: 13, shape: /^1064[6-9]\d{8}$/, base: 0.5,  why: 'number of a connected device' },
  { length: 11, shape: /^852[4-9]\d{7}$/,  base: 0.15, why: 'Hong Kong number with country code' },
  { length: 11, shape: /^8536\d{7}$/,      base: 0.15, why: 'Macau number with country code' },
  { length: 12, shape: /^8869\d{8}$/,      base: 0.15, why: 'Taiwan number with country code' },
  { length: 10, shape: /^09\d{8}$/,        base: 0.3,  why: 'Taiwan mobile number' },
  { length: 8,  shape: /^[569]\d{7}$/,     base: 0.2,  why: 'Hong Kong or Macau number' },
]

function isPlus(scan: Scan, start: number): boolean {
  return scan.text.charAt(start - 1) === '+'
}

function judgeCard(scan: Scan, candidate: Candidate): void {
  const issuer = is.bankCardIssuer(candidate.digits)
  const luhn = is.passesLuhn(candidate.digits)
  if (issuer !== undefined && luhn) {
    const base = issuer === 'unionpay' ? 0.75 : 0.65
    add(scan, candidate, 'bank-card', base, `${issuer} range and Luhn`)
  } else if (issuer !== undefined) add(scan, candidate, 'bank-card', 0.3, `${issuer} range`)
  else if (luhn) add(scan, candidate, 'bank-card', 0.2, 'Luhn')
}

/** Track 2 (ISO/IEC 7813): number, separator, expiry and service code. */
const TRACK = /(?<![0-9])[1-9]\d{12,18}[=D]\d{7,20}/g

function findTracks(scan: Scan): void {
  eachMatch(scan.text, TRACK, ({ 0: found, index }) => {
    addHit(scan, 'card-track', index, index + found.length, 0.9, 'track data of a card')
  })
}

function judgeDevice(scan: Scan, candidate: Candidate): void {
  const { digits } = candidate
  if (/^460(?:0\d|1[0135]|20)/.test(digits))
    add(scan, candidate, 'imsi', 0.45, 'IMSI of a mainland network')
  if (is.passesLuhn(digits) && /^(?:01|35|86|99)/.test(digits))
    add(scan, candidate, 'imei', 0.4, 'IMEI prefix and Luhn')
}

const LANDLINE = /^0(?:10|2\d|[3-9]\d{2})([)）]?[- ]?)[2-9]\d{6,7}(?:-\d{1,6})?(?![\dA-Za-z])/

/** Area code and number are often written apart, so landlines are looked for at their `0`. */
function findLandlines(scan: Scan): void {
  for (const word of scan.words) {
    if (word.text.charAt(0) !== '0' || !word.number) continue
    const found = LANDLINE.exec(scan.text.slice(word.start, word.start + 24))
    if (found === null || scan.text.charAt(word.start - 1) === '-') continue
    const base = found[1] === '' ? 0.35 : 0.55
    addHit(scan, 'landline', word.start, word.start + found[0].length, base, 'area code and number')
  }
}

/** `13800138000.50` and `0.13800138000` are amounts or positions. */
function decimalMalus(text: string, word: Word): number {
  const fraction = text.charAt(word.start - 1) === '.' && isDigit(text.charCodeAt(word.start - 2))
  const whole = text.charAt(word.end) === '.' && isDigit(text.charCodeAt(word.end + 1))
  return fraction || (whole && word.text.length < 15) ? 0.3 : 0
}

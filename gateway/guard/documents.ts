/** Detectors of documents and vehicles: words of letters and digits, and Chinese numbers. @module */
import { eachMatch } from './matches.ts'
import { addHit, type Scan, type Word } from './scan.ts'
import * as is from './validators.ts'

/** A shape that a whole word may have. `check` raises the score when the word passes it. */
interface Shape {
  readonly kind: string
  readonly shape: RegExp
  /** Of the words that have it, least and most: most words are spared most shapes. */
  readonly length: readonly [least: number, most: number]
  readonly base: number
  readonly why: string
  readonly check?: { readonly passes: (text: string) => boolean; readonly base: number }
}

// prettier-ignore
const SHAPES: readonly Shape[] = [
  { kind: 'passport',      shape: /^E(?:\d{8}|[A-HJ-NP-Z]\d{7})$/,    length: [9, 9],   base: 0.4,  why: 'mainland passport' },
  { kind: 'passport',      shape: /^(?:G\d{8}|[DSP]E?\d{7,8})$/,      length: [8, 10],  base: 0.35, why: 'mainland passport, older or official' },
  { kind: 'passport',      shape: /^(?:K[A-Z]?|H)\d{8}$/,             length: [9, 10],  base: 0.3,  why: 'Hong Kong passport' },
  { kind: 'passport',      shape: /^(?=.*\d{5})[A-Z0-9]{7,9}$/,       length: [7, 9],   base: 0.2,  why: 'foreign passport' },
  { kind: 'travel-permit', shape: /^[HM]\d{8}(?:\d{2})?$/,            length: [9, 11],  base: 0.4,  why: 'permit of a Hong Kong or Macau resident' },
  { kind: 'travel-permit', shape: /^(?:C[A-Z0-9]\d{7}|W\d{8})$/,      length: [9, 9],   base: 0.4,  why: 'permit to Hong Kong and Macau' },
  { kind: 'travel-permit', shape: /^(?:\d{8}|\d{10}[A-Z])$/,          length: [8, 11],  base: 0.2,  why: 'permit of a Taiwan resident' },
  { kind: 'resident-id',   shape: /^[A-Z]{3}\d{12}$/,                 length: [15, 15], base: 0.35, why: 'permanent residence card of 2017' },
  { kind: 'hkid',          shape: /^[A-Z]{1,2}\d{6}[\dA]$/,           length: [8, 9],   base: 0.15, why: 'Hong Kong identity card', check: { passes: is.isHkid, base: 0.35 } },
  { kind: 'twid',          shape: /^[A-Z][1289]\d{8}$/,               length: [10, 10], base: 0.15, why: 'Taiwan identity number', check: { passes: is.isTwid, base: 0.5 } },
  { kind: 'vin',           shape: /^(?=.*[A-Z])[A-HJ-NPR-Z0-9]{13}\d{4}$/,  length: [17, 17], base: 0.25, why: 'vehicle identification number', check: { passes: is.isVin, base: 0.7 } },
  { kind: 'imei',          shape: /^(?=.*[A-F])[A9][0-9A-F]{13}$/,    length: [14, 14], base: 0.25, why: 'MEID' },
  { kind: 'iccid',         shape: /^89860[0-9A-F]{14,15}$/,           length: [19, 20], base: 0.6,  why: 'ICCID of a mainland operator' },
]
const WORD_LENGTH_MAX = 20
const SHAPES_BY_LENGTH = Array.from({ length: WORD_LENGTH_MAX + 1 }, (_, size) =>
  SHAPES.filter(({ length: [least, most] }) => least <= size && size <= most),
)

/** Finds numbers of documents and vehicles. Linear: each word is matched as a whole. */
export function findDocuments(scan: Scan): void {
  for (const word of scan.words) {
    if (word.text.length < 7 || word.text.length > WORD_LENGTH_MAX || isMixed(word.text)) continue
    const text = word.text.toUpperCase()
    for (const { kind, shape, base, why, check } of SHAPES_BY_LENGTH[text.length] ?? []) {
      if (!shape.test(text)) continue
      const [score, reason] = check?.passes(text) ? [check.base, `${why}, checked`] : [base, why]
      // Weak shapes look like anything: only the field's name makes them a document.
      if (score <= 0.2 && !scan.field.kinds.has(kind)) continue
      addHit(scan, kind, word.start, word.end, score, reason)
    }
    if (text.length === 18) findSoleTrader(scan, word, text)
    if (word.text.length === 7) findBracketed(scan, word)
  }
}

/** Numbers of documents are in one case; base64 has words in both that look like one, check digit and all. */
function isMixed(word: string): boolean {
  return /[a-z]/.test(word) && /[A-Z]/.test(word) && /(?:[A-Za-z][^A-Za-z]*){3}/.test(word)
}

/** 92 is 个体工商户: a person. Codes of companies are public. */
function findSoleTrader(scan: Scan, word: Word, text: string): void {
  if (text.startsWith('92') && is.isUscc(text)) {
    addHit(scan, 'uscc', word.start, word.end, 0.8, 'code of a sole trader, checked')
  }
}

/** `A123456(3)`: the brackets are part of a Hong Kong number. */
function findBracketed(scan: Scan, word: Word): void {
  const text = scan.text.slice(word.start, word.end + 3).toUpperCase()
  // The text may end before the bracket does.
  const end = word.start + text.length
  if (is.isHkid(text))
    addHit(scan, 'hkid', word.start, end, 0.75, 'Hong Kong identity card, checked')
}

const OFFICER = /[军兵士文职广警]{1,2}字第\d{4,8}号/gu
const PROVINCES = '京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使'
const PLATE = new RegExp(
  `[${PROVINCES}][A-HJ-NP-Za-hj-np-z][·• -]?[A-HJ-NP-Z0-9a-hj-np-z]{4,6}[学警挂港澳试超领]?`,
  'gu',
)

/** Finds what begins with a Han character: plates, military numbers. */
export function findChineseNumbers(scan: Scan): void {
  eachMatch(scan.text, OFFICER, ({ 0: text, index }) => {
    addHit(scan, 'officer-id', index, index + text.length, 0.85, 'military identity number')
  })
  eachMatch(scan.text, PLATE, ({ 0: text, index }) => {
    const end = index + text.length
    if (!isPlate(text) || /[A-Za-z0-9]/.test(scan.text.charAt(end))) return
    addHit(scan, 'plate', index, end, 0.75, 'province, office letter and serial')
  })
}

/** Five characters, or six with a letter of new-energy vehicles; at least two digits. */
function isPlate(text: string): boolean {
  const serial = text
    .slice(2)
    .replace(/[·• -]/g, '')
    .toUpperCase()
  const ordinary = /^[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9学警挂港澳试超领]$/u
  const newEnergy = /^(?:[A-HJ-K][A-HJ-NP-Z0-9]\d{4}|\d{5}[A-HJ-K])$/
  return (ordinary.test(serial) || newEnergy.test(serial)) && /\d.*\d/.test(serial)
}

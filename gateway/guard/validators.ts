/**
 * What the identifiers of mainland China look like, one by one: shape, calendar, checksum. Pure; a
 * validator answers for a whole text that `toAscii` has already normalised. @module
 */

/** Maps full-width letters, digits and signs to ASCII. The length stays, so offsets stay. */
export function toAscii(text: string): string {
  if (!/[\u3000\uff01-\uff5e]/.test(text)) return text
  return text.replace(/[\u3000\uff01-\uff5e]/g, (wide) =>
    wide === '\u3000' ? ' ' : String.fromCharCode(wide.charCodeAt(0) - 0xfee0),
  )
}

/** What a resident id (GB 11643) says about its holder. */
export interface ResidentId {
  /** GB/T 2260 code, six digits. Codes come and go, so only the province is judged. */
  readonly region: string
  readonly provinceKnown: boolean
  /** `YYYY-MM-DD`, a real date from 1890 to the given day. */
  readonly birthDate: string
  readonly sex: 'male' | 'female'
  /** Whether the check digit is right; a legacy id has none, so never. */
  readonly checked: boolean
  /** `settled`: 港澳台居民居住证; `five-star`: 外国人永久居留身份证 of 2023; `legacy`: 15 digits. */
  readonly form: 'resident' | 'settled' | 'five-star' | 'legacy'
}

const PROVINCES = new Set(
  '11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83'.split(
    ' ',
  ),
)
const BORN_MIN = '1890-01-01'

/**
 * Reads a resident id of 18 or 15 characters.
 *
 * @param today the day after which nobody is born yet.
 * @returns undefined when the shape or the calendar date is wrong. A wrong check digit or an unknown
 *   province does not hide the rest: mistyped ids are personal too.
 */
export function parseResidentId(text: string, today: Date = new Date()): ResidentId | undefined {
  const legacy = text.length === 15
  if (!(legacy ? /^[1-9]\d{14}$/ : /^[1-9]\d{16}[\dXx]$/).test(text)) return undefined
  const digits = legacy ? `${text.slice(0, 6)}19${text.slice(6)}` : text
  const birthDate = `${digits.slice(6, 10)}-${digits.slice(10, 12)}-${digits.slice(12, 14)}`
  if (!isCalendarDate(birthDate) || birthDate < BORN_MIN) return undefined
  if (birthDate > today.toISOString().slice(0, 10)) return undefined
  const fiveStar = text.startsWith('9') && !legacy
  return {
    region: text.slice(0, 6),
    provinceKnown: PROVINCES.has(fiveStar ? text.slice(1, 3) : text.slice(0, 2)),
    birthDate,
    sex: Number(digits.charAt(16)) % 2 === 1 ? 'male' : 'female',
    checked: !legacy && residentCheckDigit(text) === text.charAt(17).toUpperCase(),
    form: legacy
      ? 'legacy'
      : fiveStar
        ? 'five-star'
        : /^8[123]0000/.test(text)
          ? 'settled'
          : 'resident',
  }
}

/** The 18th character for the first 17 digits (ISO 7064 MOD 11-2); further characters are ignored. */
export function residentCheckDigit(digits: string): string {
  let sum = 0
  for (let i = 0; i < 17; i++) sum += digitAt(digits, i) * (2 ** (17 - i) % 11)
  return '10X98765432'.charAt(sum % 11)
}

function isCalendarDate(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 10) === date
}

/** The Luhn check (ISO/IEC 7812-1 Annex B) over a text of digits. */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const value = digitAt(digits, i) * (double ? 2 : 1)
    sum += value > 9 ? value - 9 : value
  }
  return digits.length > 0 && sum % 10 === 0
}

// prettier-ignore
const CARD_ISSUERS: readonly { issuer: string; prefix: RegExp; lengths: readonly number[] }[] = [
  { issuer: 'unionpay',   prefix: /^62/,                                            lengths: [16, 17, 18, 19] },
  { issuer: 'unionpay',   prefix: /^(?:60|65|81[0-7])/,                             lengths: [16, 17, 18, 19] },
  { issuer: 'visa',       prefix: /^4/,                                             lengths: [13, 16, 19] },
  { issuer: 'mastercard', prefix: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { issuer: 'jcb',        prefix: /^35(?:2[89]|[3-8])/,                             lengths: [16] },
  { issuer: 'amex',       prefix: /^3[47]/,                                         lengths: [15] },
]

/** The card scheme whose issuer numbers and lengths fit, if any. Luhn is not looked at. */
export function bankCardIssuer(digits: string): string | undefined {
  return CARD_ISSUERS.find((row) => row.lengths.includes(digits.length) && row.prefix.test(digits))
    ?.issuer
}

/** Whether a mainland operator has this mobile segment: three digits, four below 170 and 134. */
const MOBILE_SEGMENTS = /^1(?:3\d|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8\d|9[0-35-9])/

/** Whether a text is a mainland mobile number: 11 digits, no country code, no separators. */
export function isMobile(text: string): boolean {
  return /^1[3-9]\d{9}$/.test(text)
}

/** Whether a mobile number's segment is in use; numbers move between operators, so none is named. */
export function hasMobileSegment(mobile: string): boolean {
  return MOBILE_SEGMENTS.test(mobile)
}

const USCC_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'

/** Whether a text is a unified social credit code (GB 32100-2015) with a right check character. */
export function isUscc(text: string): boolean {
  if (!/^[1-9A-HJ-NPQRTUWXY][1-9A-HJ-NPQRTUWXY]\d{6}[0-9A-HJ-NPQRTUWXY]{10}$/.test(text))
    return false
  let sum = 0
  for (let i = 0, weight = 1; i < 17; i++, weight = (weight * 3) % 31) {
    sum += USCC_ALPHABET.indexOf(text.charAt(i)) * weight
  }
  return USCC_ALPHABET.charAt((31 - (sum % 31)) % 31) === text.charAt(17)
}

const HKID_WEIGHTS = [9, 8, 7, 6, 5, 4, 3, 2]

/** Whether a text is a Hong Kong identity card number with a right check digit; brackets optional. */
export function isHkid(text: string): boolean {
  const parts = /^([A-Z]{1,2})(\d{6})\(?([\dA])\)?$/.exec(text)
  if (parts === null) return false
  const body = `${parts[1]}${parts[2]}`.padStart(8, ' ')
  let sum = parts[3] === 'A' ? 10 : Number(parts[3])
  for (let i = 0; i < 8; i++) {
    const character = body.charAt(i)
    const value = character === ' ' ? 36 : Number.parseInt(character, 36) // A = 10 … Z = 35.
    sum += value * (HKID_WEIGHTS[i] ?? 0)
  }
  return sum % 11 === 0
}

/** Letter values of a Taiwan identity number, A … Z. */
const TWID_LETTERS = [
  10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30,
  31, 33,
]

/** Whether a text is a Taiwan identity or resident number with a right check digit. */
export function isTwid(text: string): boolean {
  if (!/^[A-Z][1289]\d{8}$/.test(text)) return false
  const letter = TWID_LETTERS[text.charCodeAt(0) - 65] ?? 0
  let sum = Math.floor(letter / 10) + (letter % 10) * 9 + digitAt(text, 9)
  for (let i = 1; i < 9; i++) sum += digitAt(text, i) * (9 - i)
  return sum % 10 === 0
}

const VIN_WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
const VIN_VALUES = '0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ'

/** Whether a text is a vehicle identification number (GB 16735) with a right check character. */
export function isVin(text: string): boolean {
  if (!/^[A-HJ-NPR-Z0-9]{17}$/.test(text)) return false
  let sum = 0
  for (let i = 0; i < 17; i++) {
    sum += (VIN_VALUES.indexOf(text.charAt(i)) % 10) * (VIN_WEIGHTS[i] ?? 0)
  }
  return '0123456789X'.charAt(sum % 11) === text.charAt(8)
}

function digitAt(text: string, index: number): number {
  return text.charCodeAt(index) - 48
}

/** What can hide a value inside a text: other encodings, and documents inside strings. @module */
import { isUtf8 } from 'node:buffer'
import { BASE64_LENGTH_MIN, base64Value, eachBase64 } from './base64.ts'
import { unitsOf } from './units.ts'

/** A text found inside a text. */
export interface Carried {
  readonly carrier: 'json' | 'form' | 'percent' | 'escape' | 'entity' | 'base64' | 'hex'
  readonly text: string
  /** A form's parameter. */
  readonly name?: string
}

/** Decodes one level of everything that `text` may carry. Linear. */
export function carriedBy(text: string): readonly Carried[] {
  const traits = traitsOf(text)
  if (traits === 0) return NOTHING
  const found: Carried[] = []
  if ((traits & MARK) !== 0) addMarked(text, found)
  if ((traits & BASE64) !== 0) {
    eachBase64(text, (piece) => {
      const decoded = textOf(Buffer.from(piece, 'base64'))
      if (decoded !== undefined) found.push({ carrier: 'base64', text: decoded })
    })
  }
  if ((traits & HEX) !== 0) {
    eachHex(text, (run) => {
      const decoded = run.length % 2 === 0 ? textOf(Buffer.from(run, 'hex')) : undefined
      if (decoded !== undefined) found.push({ carrier: 'hex', text: decoded })
    })
  }
  return found
}

/** What a mark announces. */
function addMarked(text: string, found: Carried[]): void {
  const first = text.trimStart().charAt(0)
  if (first === '{' || first === '[') found.push({ carrier: 'json', text })
  const query = queryOf(text)
  if (query !== undefined) {
    for (const [name, value] of parseForm(query)) found.push({ carrier: 'form', text: value, name })
  } else if (text.includes('%') && PERCENT.test(text)) {
    found.push({ carrier: 'percent', text: decodePercent(text) })
  }
  if (text.includes('\\') && ESCAPE.test(text))
    found.push({ carrier: 'escape', text: decodeEscapes(text) })
  if (text.includes('&') && ENTITY.test(text))
    found.push({ carrier: 'entity', text: decodeEntities(text) })
}

const NOTHING: readonly Carried[] = []
/** One of `%\\&={[` is there. */
const MARK = 1
/** A run of base64 is long enough, and a capital letter is somewhere. */
const BASE64 = 2
/** A run of hexadecimal is long enough. */
const HEX = 4

const IS_MARK = 1
const IS_CAPITAL = 2
const OF_BASE64 = 4
const OF_HEX = 8

/** Of an ASCII character: whether it is a mark, of base64, a capital letter, of hexadecimal. */
const SORTS = new Uint8Array(128).map((_, code) => {
  const character = String.fromCharCode(code)
  if (base64Value(code) < 0) return /[%\\&={[]/.test(character) ? IS_MARK : 0
  return OF_BASE64 | (/[A-Z]/.test(character) ? IS_CAPITAL : 0) | (/[0-9A-Fa-f]/.test(character) ? OF_HEX : 0) // prettier-ignore
})

/** Every carrier needs one of these: in a loop, for most texts have none. */
function traitsOf(text: string): number {
  const { length } = text
  const units = unitsOf(text)
  let [seen, run, hex, longest, longestHex] = [0, 0, 0, 0, 0]
  for (let at = 0; at < length; at++) {
    const code = units[at] as number
    const sort = code < 128 ? (SORTS[code] as number) : 0
    seen |= sort
    run = (sort & OF_BASE64) === 0 ? 0 : run + 1
    hex = (sort & OF_HEX) === 0 ? 0 : hex + 1
    if (run > longest) longest = run
    if (hex > longestHex) longestHex = hex
  }
  const isBase64 = longest >= BASE64_LENGTH_MIN && (seen & IS_CAPITAL) !== 0
  const isHex = longestHex >= HEX_LENGTH_MIN
  return ((seen & IS_MARK) === 0 ? 0 : MARK) | (isBase64 ? BASE64 : 0) | (isHex ? HEX : 0)
}

/** Visits runs of hexadecimal: a pattern would need four times as long. */
function eachHex(text: string, visit: (run: string) => void): void {
  const { length } = text
  const units = unitsOf(text)
  let start = 0
  for (let at = 0; at <= length; at++) {
    const code = at < length ? (units[at] as number) : 0
    if (code < 128 && ((SORTS[code] as number) & OF_HEX) !== 0) continue
    if (at - start >= HEX_LENGTH_MIN) visit(text.slice(start, at))
    start = at + 1
  }
}

const PERCENT = /%[0-9A-Fa-f]{2}/
const ESCAPE = /\\u\{?[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}/
const ENTITY = /&(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos|nbsp);/i
const HEX_LENGTH_MIN = 12

/** Parameters of a form body or query; a name without `=` has an empty value. */
export function parseForm(query: string): [name: string, value: string][] {
  return query.split('&').map((pair) => {
    const cut = pair.indexOf('=')
    const [name, value] = cut < 0 ? [pair, ''] : [pair.slice(0, cut), pair.slice(cut + 1)]
    return [decodePercent(name.replaceAll('+', ' ')), decodePercent(value.replaceAll('+', ' '))]
  })
}

/** The query of a URL, or the text itself when it is `name=value&name=value`. */
function queryOf(text: string): string | undefined {
  if (!text.includes('=')) return undefined
  const url = /^[a-z][a-z0-9+.-]{1,16}:\/\/[^?\s]*\?([^\s]+)$/i.exec(text)
  if (url !== null) return url[1]
  return /^[^=&\s"'{}]{1,64}=[^&]*(?:&[^=&\s]{1,64}=[^&]*)*$/.test(text) ? text : undefined
}

/** Decodes `%XX` leniently: what is no escape stays, bytes that are no UTF-8 become U+FFFD. */
export function decodePercent(text: string): string {
  if (!PERCENT.test(text)) return text
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  )
}

function decodeEscapes(text: string): string {
  return text.replace(
    /\\u\{?([0-9A-Fa-f]{4})\}?|\\x([0-9A-Fa-f]{2})/g,
    (_, unit?: string, byte?: string) =>
      String.fromCharCode(Number.parseInt(unit ?? byte ?? '', 16)),
  )
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
}

function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole
    },
  )
}

/** The bytes as text, when they are text: UTF-8 without control characters. */
function textOf(bytes: Buffer): string | undefined {
  if (bytes.length < 6 || !isUtf8(bytes)) return undefined
  for (const byte of bytes) {
    if (byte === 0x7f || (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d))
      return undefined
  }
  return bytes.toString('utf8')
}

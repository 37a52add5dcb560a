/**
 * The part of JSONPath (RFC 9535) that a policy may use: names, indexes, wildcards, descendants.
 * Everything else is refused with a position, never read as something near it. Pure. @module
 */
import type { Path, Segment } from './policy.ts'

/** What is wrong with a path, and how many code points precede the place. */
export interface PathFault {
  readonly offset: number
  readonly message: string
  readonly help: string
}

/** Longest path that is read, in code points. */
export const PATH_CHARACTERS_MAX = 1024

/** Reads one path. Never throws: hostile text yields a fault. */
export function parsePath(text: string): { readonly path: Path } | PathFault {
  const scanner: Scanner = { characters: [...text], offset: 0 }
  if (scanner.characters.length > PATH_CHARACTERS_MAX) {
    return {
      offset: 0,
      message: 'the path is too long',
      help: `at most ${PATH_CHARACTERS_MAX} characters`,
    }
  }
  try {
    return { path: readPath(scanner) }
  } catch (error) {
    if (error instanceof Fault) return error.fault
    throw error
  }
}

/** The canonical spelling: `$.a['b c'][0][*]..d`. `parsePath` reads it back to the same path. */
export function formatPath(path: Path): string {
  return '$' + path.map((segment) => formatSegment(segment, '.')).join('')
}

function formatSegment(segment: Segment, dot: '.' | '..'): string {
  if (segment.step === 'descendant') return formatSegment(segment.of, '..')
  const before = dot === '..' ? '..' : ''
  if (segment.step === 'index') return `${before}[${segment.index}]`
  if (segment.step === 'wildcard') return `${before}[*]`
  const shorthand = [...segment.name]
  if (shorthand.length > 0 && shorthand.every(isNameCharacter) && !isDigit(shorthand[0])) {
    return dot + segment.name
  }
  return `${before}[${quoteName(segment.name)}]`
}

// RFC 9535 §2.7: single quotes, and the shortest escape of what must be escaped.
function quoteName(name: string): string {
  const inner = JSON.stringify(name).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${inner}'`
}

interface Scanner {
  readonly characters: readonly string[]
  offset: number
}

/** Unwinds the scanner; `parsePath` catches it, so it never leaves this file. */
class Fault extends Error {
  readonly fault: PathFault
  constructor(fault: PathFault) {
    super(fault.message)
    this.fault = fault
  }
}

function fail(scanner: Scanner, message: string, help: string, offset = scanner.offset): never {
  throw new Fault({ offset, message, help })
}

function peek(scanner: Scanner, ahead = 0): string | undefined {
  return scanner.characters[scanner.offset + ahead]
}

function skipBlanks(scanner: Scanner): void {
  while (/^[ \t\n\r]$/.test(peek(scanner) ?? '')) scanner.offset++
}

function readPath(scanner: Scanner): Path {
  if (peek(scanner) !== '$') fail(scanner, 'a path starts with `$`', 'write `$.name`')
  scanner.offset++
  const path: Segment[] = []
  while (scanner.offset < scanner.characters.length) {
    const blank = scanner.offset
    skipBlanks(scanner)
    const next = peek(scanner)
    if (next === '[') path.push(readBracket(scanner))
    else if (next === '.') path.push(readDotted(scanner))
    else if (next === undefined)
      fail(scanner, 'a path does not end in a blank', 'delete the blank', blank)
    else fail(scanner, `\`${next}\` cannot stand here`, "write `.name`, `['name']`, `[0]` or `[*]`")
  }
  return path
}

function readDotted(scanner: Scanner): Segment {
  scanner.offset++
  const isDescendant = peek(scanner) === '.'
  if (isDescendant) scanner.offset++
  const of = readChild(scanner, isDescendant)
  return isDescendant ? { step: 'descendant', of } : of
}

function readChild(scanner: Scanner, isDescendant: boolean): Segment {
  const next = peek(scanner)
  if (next === '[' && isDescendant) return readBracket(scanner)
  if (next === '*') {
    scanner.offset++
    return { step: 'wildcard' }
  }
  if (next === undefined || !isNameCharacter(next) || isDigit(next)) {
    fail(
      scanner,
      'a name must follow the dot',
      "put a name with other characters in brackets: `['…']`",
    )
  }
  let name = ''
  for (let character = peek(scanner); character !== undefined && isNameCharacter(character);) {
    name += character
    scanner.offset++
    character = peek(scanner)
  }
  return { step: 'name', name }
}

function readBracket(scanner: Scanner): Segment {
  scanner.offset++
  skipBlanks(scanner)
  const start = scanner.offset
  const next = peek(scanner)
  let segment: Segment
  if (next === '*') {
    scanner.offset++
    segment = { step: 'wildcard' }
  } else if (next === "'" || next === '"') {
    segment = { step: 'name', name: readQuoted(scanner, next) }
  } else if (next === '?') {
    fail(
      scanner,
      'filters (`[?…]`) are not part of the policy language',
      'name the field, or use `[*]`',
    )
  } else {
    segment = { step: 'index', index: readIndex(scanner) }
  }
  skipBlanks(scanner)
  const close = peek(scanner)
  if (close === ',') {
    fail(
      scanner,
      'several selectors in one bracket are not part of the policy language',
      'write one rule for each',
      start,
    )
  }
  if (close === ':') fail(scanner, SLICE, SLICE_HELP, start)
  if (close !== ']') fail(scanner, 'the bracket is not closed', 'write `]`')
  scanner.offset++
  return segment
}

const SLICE = 'slices (`[a:b]`) are not part of the policy language'
const SLICE_HELP = 'use `[*]` for all elements, or one index'

function readIndex(scanner: Scanner): number {
  const start = scanner.offset
  let digits = ''
  while (/^[-+\d]$/.test(peek(scanner) ?? '')) digits += scanner.characters[scanner.offset++]
  if (peek(scanner) === ':' && /^(-?\d+)?$/.test(digits)) fail(scanner, SLICE, SLICE_HELP, start)
  if (/^-[1-9]\d*$/.test(digits)) {
    fail(
      scanner,
      'an index from the end is not part of the policy language',
      'use `[*]`, or count from 0',
      start,
    )
  }
  if (!/^(0|[1-9]\d*)$/.test(digits) || !Number.isSafeInteger(Number(digits))) {
    fail(
      scanner,
      'an index, `*` or a quoted name must stand in the brackets',
      "write `[0]`, `[*]` or `['name']`",
      start,
    )
  }
  return Number(digits)
}

// prettier-ignore
const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '/': '/', '\\': '\\', "'": "'", '"': '"',
}

function readQuoted(scanner: Scanner, quote: string): string {
  const opening = scanner.offset++
  let name = ''
  for (;;) {
    const character = peek(scanner)
    if (character === undefined)
      fail(scanner, 'the quoted name does not end', `write \`${quote}\``, opening)
    if (character === quote) {
      scanner.offset++
      return name
    }
    if (character < ' ')
      fail(scanner, 'a control character stands in the name', 'write it as `\\u00…`')
    if (!character.isWellFormed())
      fail(scanner, 'half a surrogate pair stands in the name', 'remove it')
    name += character === '\\' ? readEscape(scanner, quote) : character
    scanner.offset++
  }
}

/** Leaves the scanner on the escape's last character. */
function readEscape(scanner: Scanner, quote: string): string {
  const start = scanner.offset
  const letter = scanner.characters[++scanner.offset] ?? ''
  if (letter === 'u') return readUnicodeEscape(scanner, start)
  const plain = ESCAPES[letter]
  // RFC 9535 §2.3.1.1: each kind of quote is escaped only inside its own kind.
  const isOtherQuote = (letter === "'" || letter === '"') && letter !== quote
  if (plain === undefined || isOtherQuote) {
    fail(scanner, `\`\\${letter}\` is not an escape`, 'write `\\\\` for a backslash', start)
  }
  return plain
}

function readUnicodeEscape(scanner: Scanner, start: number): string {
  const high = readHex(scanner, start)
  if (high < 0xd800 || high > 0xdfff) return String.fromCharCode(high)
  const isPair = high < 0xdc00 && peek(scanner, 1) === '\\' && peek(scanner, 2) === 'u'
  if (isPair) {
    scanner.offset += 2
    const low = readHex(scanner, start)
    if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(high, low)
  }
  return fail(
    scanner,
    'the escape is half a surrogate pair',
    'write both halves, or the character itself',
    start,
  )
}

function readHex(scanner: Scanner, start: number): number {
  const digits = scanner.characters.slice(scanner.offset + 1, scanner.offset + 5).join('')
  if (!/^[\da-fA-F]{4}$/.test(digits)) {
    fail(scanner, 'four hexadecimal digits must follow `\\u`', 'write for example `\\u4e2d`', start)
  }
  scanner.offset += 4
  return Number.parseInt(digits, 16)
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9'
}

// RFC 9535 §2.5.1.1: name-first, and digits after the first.
function isNameCharacter(character: string): boolean {
  return /^[\w\u0080-\ud7ff\ue000-\u{10ffff}]$/u.test(character)
}

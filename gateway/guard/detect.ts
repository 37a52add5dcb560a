/** Finds personal data in one text. Deterministic, and linear in the text's length. @module */
import { findChineseNumbers, findDocuments } from './documents.ts'
import { findLabelled, findNamed } from './fields.ts'
import type { Kinds } from './kinds.ts'
import { findImage } from './image.ts'
import { REFUSE_SCORE } from './limits.ts'
import { findAddresses, findEmails, findLocations } from './network.ts'
import { findNumbers } from './numbers.ts'
import { findNames } from './person.ts'
import { findPostal } from './postal.ts'
import { type Hit, createScan } from './scan.ts'
import { toAscii } from './validators.ts'

export type { Hit } from './scan.ts'

/**
 * Finds personal data in a decoded text.
 *
 * @param fieldName name of the member, parameter or header that holds the text.
 * @returns hits sorted by start that never overlap; where two detectors claim one place, the higher
 *   score wins, then the longer, then the earlier, then the kind's name.
 */
export type Detect = (text: string, fieldName?: string) => readonly Hit[]

/** Binds the detectors to a dictionary. */
export function createDetect(kinds: Kinds): Detect {
  return (text, fieldName) => {
    const field = kinds.fields.of(fieldName)
    // What is ASCII has nothing invisible and nothing full-width in it.
    const isPlain = isAscii(text)
    const [plain, offsets] = isPlain ? [text] : withoutInvisible(text)
    const scan = createScan(isPlain ? text : toAscii(plain), field, kinds)
    const { digits, dots, colons, dashes, wide, label } = scan
    findNamed(scan, kinds)
    if (digits >= NUMBER_DIGITS_MIN) findNumbers(scan)
    if (digits >= DOCUMENT_DIGITS_MIN) findDocuments(scan)
    if (dots >= 2 || field.kinds.has('location')) findLocations(scan)
    if (wide && digits >= 2) findChineseNumbers(scan)
    if (scan.text.includes('@')) findEmails(scan)
    if (dots + colons + dashes >= 2) findAddresses(scan)
    if (wide || field.kinds.has('name')) findNames(scan)
    if (wide) findPostal(scan)
    if (text.length >= 20) findImage(scan)
    if (wide || label) findLabelled(scan, kinds)
    if (scan.hits === undefined) return NO_HITS
    const chosen = withoutOverlaps(scan.hits, plain.length)
    return offsets === undefined ? chosen : chosen.map((hit) => shift(hit, offsets))
  }
}

const NO_HITS: readonly Hit[] = []

/** Leaves out guesses: what remains would stop a relay. */
export function surely(detect: Detect): Detect {
  return (text, fieldName) => detect(text, fieldName).filter(({ score }) => score >= REFUSE_SCORE)
}

/** No shape that `findNumbers` knows has fewer digits: a Hong Kong telephone number has eight. */
const NUMBER_DIGITS_MIN = 8
/** The same for `findDocuments`: a vehicle identification number ends in four digits. */
const DOCUMENT_DIGITS_MIN = 4

/** Only ASCII has as many bytes as UTF-16 units; of a short text a loop finds out sooner. */
function isAscii(text: string): boolean {
  if (text.length > SHORT_LENGTH) return Buffer.byteLength(text) === text.length
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}
const SHORT_LENGTH = 32

const INVISIBLE = /[\u00ad\u200b-\u200f\u2060\ufeff]/

/** Removes characters that show nothing and split numbers; `offsets` lead back to the original. */
function withoutInvisible(text: string): [plain: string, offsets?: readonly number[]] {
  if (!INVISIBLE.test(text)) return [text]
  const offsets: number[] = []
  let plain = ''
  for (let i = 0; i < text.length; i++) {
    const unit = text.charAt(i)
    if (INVISIBLE.test(unit)) continue
    plain += unit
    offsets.push(i)
  }
  return [plain, offsets]
}

function shift(hit: Hit, offsets: readonly number[]): Hit {
  return { ...hit, start: offsets[hit.start] ?? 0, end: (offsets[hit.end - 1] ?? 0) + 1 }
}

function withoutOverlaps(hits: readonly Hit[], length: number): readonly Hit[] {
  if (hits.length < 2) return hits
  const taken = new Uint8Array(length)
  const chosen: Hit[] = []
  for (const hit of hits.toSorted(byStrength)) {
    if (taken.subarray(hit.start, hit.end).includes(1)) continue
    taken.fill(1, hit.start, hit.end)
    chosen.push(hit)
  }
  return chosen.sort((a, b) => a.start - b.start)
}

function byStrength(a: Hit, b: Hit): number {
  return (
    b.score - a.score ||
    b.end - b.start - (a.end - a.start) ||
    a.start - b.start ||
    (a.kind < b.kind ? -1 : 1)
  )
}

/** Says what was found and where, without a value, and without a name that the policy does not spell out. @module */
import { publicPath } from '../policy/public-path.ts'
import { isLines } from './bodies.ts'
import type { Before, GuardHit, OutboundMessage, Place } from './guard.ts'
import * as limits from './limits.ts'
import { pathAt } from './place.ts'
import type { CellPlace } from './table-values.ts'

/** The detail of `leak-detected`. */
export function describeLeaks(leaks: readonly GuardHit[], message: OutboundMessage): string {
  const before = message.before?.() ?? NOTHING
  const named = leaks.slice(0, limits.PLACES_NAMED_MAX).map(({ kind, class: level, place }) => {
    const inside = place.carriers.length === 0 ? '' : ` inside ${place.carriers.join(', ')}`
    const where = place.in === 'body' ? whereInBody(place, message, before) : nameOf(place)
    return `\`${kind}\` (${level}) in the ${place.in}${where}${inside}`
  })
  const more = leaks.length - named.length
  return `found ${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

function nameOf({ name }: Place): string {
  return name === undefined ? '' : ` \`${name}\``
}

function whereInBody(place: Place, message: OutboundMessage, before: Before): string {
  const { name, cell, offset } = place
  if (name !== undefined) return nameOf(place)
  const bytes = Buffer.from(message.body.buffer, message.body.byteOffset, message.body.length)
  // What parts a row from the one before comes with it, and looks like a row of nothing.
  const isCut = before.bytes > 0 && (bytes[0] === LINE_FEED || bytes[0] === RETURN)
  const rows = before.rows - (isCut ? 1 : 0)
  if (cell !== undefined) return cellText(cell, rows)
  const start = isLines(message.mediaType) ? bytes.lastIndexOf(LINE_FEED, offset) + 1 : 0
  const end = isLines(message.mediaType) ? bytes.indexOf(LINE_FEED, offset) : -1
  const path = pathAt(bytes.subarray(start, end < 0 ? bytes.length : end), offset - start)
  if (!isLines(message.mediaType)) {
    return ` at byte ${before.bytes + offset}${path === undefined ? '' : `, ${show(path, message)}`}`
  }
  const row = rows + countLines(bytes.subarray(0, start))
  const index = { step: 'index', index: row } as const
  return `, row ${row + 1}${path === undefined ? '' : `, ${show([index, ...path], message)}`}`
}

const NOTHING: Before = { bytes: 0, rows: 0 }
const LINE_FEED = 0x0a
const RETURN = 0x0d

function cellText({ record, row, column }: CellPlace, before: number): string {
  const where = record === 'row' ? `row ${before + row}` : `the ${record}`
  return `, ${where}, column ${column}`
}

function countLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) count++
  return count
}

function show(path: Parameters<typeof publicPath>[0], { names }: OutboundMessage): string {
  return `\`${publicPath(path, (name) => names?.has(name) === true)}\``
}

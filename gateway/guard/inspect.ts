/** Takes one outbound message apart and looks at every text in it, hidden ones included. @module */
import { Problem } from '../../base/problem.ts'
import { carriedBy, parseForm } from './carriers.ts'
import type { Detect, Hit } from './detect.ts'
import type { GuardHit, OutboundMessage, Place } from './guard.ts'
import { visitSuspicious } from './json-values.ts'
import type { Kinds } from './kinds.ts'
import * as limits from './limits.ts'

/** A message on its way through the inspection. */
interface Inspection {
  readonly message: OutboundMessage
  readonly kinds: Kinds
  readonly detect: Detect
  readonly found: GuardHit[]
  /** Characters that may still be decoded. */
  budget: number
}

/** A text with the name of its field, its place, and its slot in `Allowed`. */
interface Text {
  readonly text: string
  readonly name?: string | undefined
  readonly slot: string
  readonly place: Place
}

/**
 * Finds all personal data in a message. Linear in its length.
 *
 * @throws {Problem} `leak-detected` when encodings are nested too deeply to be inspected.
 */
export function inspectMessage(message: OutboundMessage, kinds: Kinds, detect: Detect): GuardHit[] {
  const { headers, path, query, body, mediaType } = message
  const size = body.length + query.length + path.length + 4096
  const found: GuardHit[] = []
  const inspection = { message, kinds, detect, found, budget: size * limits.DECODED_PER_BYTE_MAX }
  for (const [header, value] of headers) {
    const name = header.toLowerCase()
    look(inspection, { text: value, name, slot: `header:${name}`, place: placeIn('header', name) })
  }
  look(inspection, { text: path, slot: 'path', place: placeIn('path') })
  if (query !== '') lookForm(inspection, query, 'query')
  if (body.length === 0) return found
  const type = mediaType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (/[/+](?:json|x-ndjson|ndjson)$/.test(type)) {
    lookJson(inspection, asBuffer(body), placeIn('body'))
  } else if (type === 'application/x-www-form-urlencoded') {
    lookForm(inspection, asBuffer(body).toString(), 'body')
  } else {
    look(inspection, { text: asBuffer(body).toString(), slot: 'body:', place: placeIn('body') })
  }
  return found
}

function placeIn(where: Place['in'], name?: string): Place {
  return { in: where, ...(name === undefined ? {} : { name }), offset: 0, depth: 0, carriers: [] }
}

function look(inspection: Inspection, value: Text): void {
  for (const hit of inspection.detect(value.text, value.name)) report(inspection, hit, value)
  const { place } = value
  for (const carried of carriedBy(value.text)) {
    inspection.budget -= carried.text.length
    if (inspection.budget < 0 || place.carriers.length >= limits.CARRIER_DEPTH_MAX) {
      throw new Problem('leak-detected', 'encodings are nested too deeply to be inspected')
    }
    const inner = { ...place, carriers: [...place.carriers, carried.carrier] }
    if (carried.carrier === 'json') lookJson(inspection, Buffer.from(carried.text), inner)
    else {
      const name = carried.name ?? value.name
      look(inspection, { text: carried.text, name, slot: value.slot, place: inner })
    }
  }
}

function report({ message, kinds, found }: Inspection, hit: Hit, { slot, place }: Text): void {
  const kind = kinds.get(hit.kind)
  if (kind === undefined) return
  const places = kind.class === 'C3' ? undefined : message.allowed.get(hit.kind)
  const anywhere = place.in === 'body' && places?.has('body:*') === true
  const allowed = anywhere || places?.has(slot) === true
  const leak = !allowed && hit.score >= limits.REFUSE_SCORE && kind.guard === 'refuse'
  found.push({ kind: hit.kind, class: kind.class, place, score: hit.score, why: hit.why, leak })
}

function lookForm(inspection: Inspection, text: string, where: 'query' | 'body'): void {
  parseForm(text).forEach(([name, value], index) => {
    const place = placeIn(where, `${index + 1}`)
    look(inspection, { text: name, slot: '', place })
    look(inspection, { text: value, name, slot: `${where}:${name}`, place })
  })
}

function lookJson(inspection: Inspection, bytes: Buffer, at: Place): void {
  const textOf = (start: number, end: number) => unescapeJson(bytes.toString('utf8', start, end))
  visitSuspicious(
    bytes,
    (start, end) => inspection.kinds.fields.of(textOf(start, end)).kinds.size > 0,
    ({ type, start, end, nameStart, nameEnd, depth }) => {
      const name = nameEnd > nameStart ? textOf(nameStart, nameEnd) : undefined
      const text =
        type === 'number' ? plainNumber(bytes.toString('utf8', start, end)) : textOf(start, end)
      const offset = at.carriers.length > 0 ? at.offset : start
      const place = { ...at, offset, depth: at.depth + depth }
      look(inspection, { text, name, slot: `body:${name ?? ''}`, place })
    },
  )
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** A JSON string's characters. What does not parse is inspected as it stands. */
function unescapeJson(raw: string): string {
  if (!raw.includes('\\')) return raw
  try {
    return String(JSON.parse(`"${raw}"`))
  } catch (error) {
    if (error instanceof SyntaxError) return raw
    throw error
  }
}

/** `1.38001380E10` and `13800138000.0` spell the same number. */
function plainNumber(raw: string): string {
  const parts = /^(-?\d+)(?:\.(\d*))?(?:[eE]\+?(\d{1,2}))?$/.exec(raw)
  if (parts === null) return raw
  const [, whole = '', fraction = '', exponent = '0'] = parts
  const shift = Number(exponent)
  const rest = fraction.slice(shift)
  const digits = whole + fraction.slice(0, shift).padEnd(shift, '0')
  return /^0*$/.test(rest) ? digits : `${digits}.${rest}`
}

/** Takes one outbound message apart and looks at every text in it, hidden ones included. @module */
import { Problem } from '../../base/problem.ts'
import type { CsvDialect } from '../policy/body.ts'
import { ENCRYPTED, isAllowed } from './allowed.ts'
import { essenceOf, type Group, groupsOf, tableOf, toUtf8 } from './bodies.ts'
import { carriedBy, parseForm } from './carriers.ts'
import type { Detect, Hit } from './detect.ts'
import type { GuardHit, OutboundMessage, Place } from './guard.ts'
import { visitSuspicious } from './json-values.ts'
import type { Kinds } from './kinds.ts'
import { openJwe } from './jwe.ts'
import * as limits from './limits.ts'
import { type Name, type Names, NO_NAME, unescapeJson } from './names.ts'
import { deservesLook } from './plain-value.ts'
import { eachText } from './stretches.ts'
import { type VisitCell, visitCells } from './table-values.ts'

/** What the inspection works with, made once per dictionary. */
export interface Instruments {
  readonly kinds: Kinds
  readonly detect: Detect
  readonly names: Names
}

/** A message on its way through the inspection. */
interface Inspection extends Instruments {
  readonly message: OutboundMessage
  readonly found: GuardHit[]
  /** Names of its named values, read once: records have the same ones over and over. */
  readonly named: Map<string, Name>
  /** Characters that may still be decoded. */
  budget: number
}

/** A text, where it stands, and the names that apply to it. */
interface Text extends Place {
  readonly text: string
  /** What the field is called: tells detectors what to expect. */
  readonly field?: string | undefined
  /** Header, parameter or member in the message itself: what `Allowed` speaks of. */
  readonly owner: string
}

/**
 * Finds all personal data in a message. Linear in its length.
 *
 * @throws {Problem} `leak-detected` when encodings are nested too deeply to be inspected.
 */
export function inspectMessage(message: OutboundMessage, instruments: Instruments): GuardHit[] {
  const { headers, path, query, body, mediaType } = message
  const size = body.length + query.length + path.length + 4096
  const found: GuardHit[] = []
  const budget = size * limits.DECODED_PER_BYTE_MAX
  const inspection = { ...instruments, message, found, named: new Map<string, Name>(), budget }
  for (const [header, text] of headers) {
    const name = header.toLowerCase()
    look(inspection, { ...TOP, in: 'header', text, name, field: name, owner: name })
  }
  look(inspection, { ...TOP, in: 'path', text: path })
  if (query !== '') lookForm(inspection, query, 'query')
  if (body.length === 0) return found
  lookBody(inspection, toUtf8(Buffer.from(body.buffer, body.byteOffset, body.length), mediaType))
  return found
}

function lookBody(inspection: Inspection, bytes: Buffer): void {
  const { mediaType, dialect } = inspection.message
  const type = essenceOf(mediaType)
  const table = tableOf(mediaType, dialect)
  const groups = groupsOf(bytes, mediaType, dialect)
  if (table !== undefined) lookTable(inspection, bytes, table)
  else if (groups !== undefined)
    for (const group of groups) lookGroup(inspection, group, { ...TOP, depth: 1 })
  else if (JSON_TYPES.test(type)) lookJson(inspection, bytes, TOP)
  else if (type === FORM) lookForm(inspection, bytes.toString('utf8'), 'body')
  else eachText(bytes, (text) => look(inspection, { ...TOP, text }))
}

const JSON_TYPES = /[/+](?:json|x-ndjson|ndjson|jsonl)$/
const FORM = 'application/x-www-form-urlencoded'
const TOP = { in: 'body', offset: 0, depth: 0, carriers: [], owner: '' } as const

function look(inspection: Inspection, value: Text): void {
  const encrypted = encryptedText(inspection, value)
  if (encrypted === undefined)
    for (const hit of inspection.detect(value.text, value.field)) report(inspection, hit, value)
  for (const { carrier, text, name } of carriedBy(encrypted ?? value.text)) {
    inspection.budget -= text.length
    if (inspection.budget < 0 || value.carriers.length >= limits.CARRIER_DEPTH_MAX) {
      throw new Problem('leak-detected', 'encodings are nested too deeply to be inspected')
    }
    const inner = {
      ...value,
      text,
      field: name ?? value.field,
      carriers: [...value.carriers, carrier],
    }
    if (carrier === 'json') lookJson(inspection, Buffer.from(text), inner)
    else look(inspection, inner)
  }
}

/** What is left to look at of a value where a rule encrypts, if it is encrypted. */
function encryptedText({ message }: Inspection, value: Text): string | undefined {
  const { in: where, owner, carriers, text } = value
  if (carriers.length > 0 || !isAllowed(message.allowed, ENCRYPTED, where, owner)) return undefined
  return openJwe(text)
}

function report({ message, kinds, found }: Inspection, hit: Hit, value: Text): void {
  const kind = kinds.get(hit.kind)
  if (kind === undefined) return
  const { in: where, name, cell, offset, depth, carriers, owner } = value
  const isBlocked = kind.class === 'C3' || kinds.deny.never.has(hit.kind)
  const allowed = !isBlocked && isAllowed(message.allowed, hit.kind, where, owner)
  found.push({
    kind: hit.kind,
    class: kind.class,
    place: {
      ...{ in: where, offset, depth, carriers },
      ...(name === undefined ? {} : { name }),
      ...(cell === undefined ? {} : { cell }),
    },
    score: hit.score,
    why: hit.why,
    leak: !allowed && hit.score >= limits.REFUSE_SCORE && kind.guard === 'refuse',
  })
}

function lookForm(inspection: Inspection, text: string, where: 'query' | 'body'): void {
  parseForm(text).forEach((field, index) => {
    lookGroup(inspection, { name: `${index + 1}`, fields: [field] }, { ...TOP, in: where })
  })
}

/** Cells are looked at as members of an object are, as all named values. */
function lookTable(inspection: Inspection, bytes: Buffer, csv: CsvDialect): void {
  const { carriers } = TOP
  const visit: VisitCell = (cell, text, name) =>
    look(inspection, { in: 'body', offset: 0, depth: 1, carriers, text, field: name, owner: name, cell }) // prettier-ignore
  visitCells(bytes, csv, (field) => nameOf(inspection, field), visit)
}

/** Named values are looked at as members of an object are: one way for every format. */
function lookGroup(inspection: Inspection, { name, fields }: Group, at: Omit<Text, 'text'>): void {
  for (const [field, value] of fields) {
    const said = nameOf(inspection, field)
    const owner = said.text
    const place = { ...at, name }
    if (!said.clean) look(inspection, { ...place, text: field, field: '' })
    const visit = (text: string): void => {
      if (deservesLook(text, said)) look(inspection, { ...place, text, field: owner, owner })
    }
    if (typeof value === 'string') visit(value)
    // Under a telling name all of it counts, whatever it looks like.
    else if (said.telling === 0) eachText(value, visit)
    else visit(value.toString('utf8'))
  }
}

function nameOf({ named, names }: Inspection, field: string): Name {
  let name = named.get(field)
  if (name === undefined) {
    const bytes = Buffer.from(JSON.stringify(field).slice(1, -1))
    name = names.at(bytes, 0, bytes.length, NO_NAME)
    named.set(field, name)
  }
  return name
}

/** Looks at a document, `outer` telling where it stands when it is not the body itself. */
function lookJson(inspection: Inspection, bytes: Buffer, outer: Omit<Text, 'text'>): void {
  const whole = outer.carriers.length === 0
  visitSuspicious(bytes, inspection.names, ({ start, end, name, depth, quoted }) => {
    const raw = bytes.toString('utf8', start, end)
    look(inspection, {
      in: outer.in,
      ...(outer.name === undefined ? {} : { name: outer.name }),
      text: quoted ? unescapeJson(raw) : plainNumber(raw),
      field: name.text,
      owner: whole ? name.text : outer.owner,
      offset: whole ? start : outer.offset,
      depth: outer.depth + depth,
      carriers: outer.carriers,
    })
  })
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

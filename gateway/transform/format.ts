/** How a body is written: what its media type and the policy's `body:` say together. @module */
import { Problem } from '../../base/problem.ts'
import type { OpenCodec } from './codec/codec.ts'
import { openForm } from './codec/form.ts'
import { openJson, openLines } from './codec/json.ts'

/** A body's format; only `readFormat` makes one from what a caller says. */
export interface BodyFormat {
  readonly name: FormatName
  /** Lower case, without parameters. */
  readonly mediaType: string
}

/** What is known of a format. */
interface FormatType {
  readonly open: OpenCodec
  /** Media types without a suffix. */
  readonly mediaTypes: readonly string[]
  /** RFC 6839 suffix that says it too. */
  readonly suffix?: string
  /** Whether a body of it may be longer than memory: every part of it is decided on its own. */
  readonly streams: boolean
  /** How one row of it is written when it stands alone: what the guard reads row by row. */
  readonly rows?: FormatName
}

/** The names of the formats, as a policy's `body:` writes them. */
export type FormatName = 'json' | 'ndjson' | 'form'

/** Every format that can be read. */
const FORMATS: Readonly<Record<FormatName, FormatType>> = {
  json: { open: openJson, mediaTypes: ['application/json'], suffix: '+json', streams: true },
  ndjson: {
    open: openLines,
    mediaTypes: ['application/x-ndjson', 'application/ndjson', 'application/jsonl'],
    streams: true,
    rows: 'json',
  },
  form: { open: openForm, mediaTypes: ['application/x-www-form-urlencoded'], streams: true },
}

/** JSON, where nobody says anything else. */
export const JSON_FORMAT: BodyFormat = { name: 'json', mediaType: 'application/json' }

/** What is known of a body's format. */
export function formatType({ name }: BodyFormat): FormatType {
  return FORMATS[name]
}

/**
 * Reads a Content-Type.
 *
 * @throws {Problem} `media-type-unsupported` when no codec knows it, or a parameter contradicts it.
 */
export function readFormat(contentType: string): BodyFormat {
  const [essence = '', ...parameters] = contentType.split(';')
  const mediaType = essence.trim().toLowerCase()
  const name = FORMAT_NAMES.find((known) => isOf(FORMATS[known], mediaType))
  if (name === undefined) {
    throw new Problem('media-type-unsupported', `expected ${EXPECTED}`)
  }
  const charset = /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/i
  for (const parameter of parameters) {
    const value = charset.exec(parameter)?.[1]
    if (value !== undefined && value.toLowerCase() !== 'utf-8')
      throw new Problem('media-type-unsupported', 'expected charset utf-8')
  }
  return { name, mediaType }
}

/** The Content-Type to send on: parameters could carry anything, so it is made anew. */
export function writeContentType({ mediaType }: BodyFormat): string {
  return mediaType
}

/** A type of one's own: too short a run of digits for a number of somebody. */
const SUFFIXED = /^application\/(?!.*\d{4})[a-z][a-z\d.-]{0,63}\+(?:json|xml)$/
const FORMAT_NAMES = Object.keys(FORMATS) as FormatName[]
const EXPECTED = FORMAT_NAMES.map((name) => FORMATS[name].mediaTypes[0]).join(', ')

function isOf({ mediaTypes, suffix }: FormatType, mediaType: string): boolean {
  if (mediaTypes.includes(mediaType)) return true
  return suffix !== undefined && mediaType.endsWith(suffix) && SUFFIXED.test(mediaType)
}

/** How a body is written: what its media type and the policy's `body:` say together. @module */
import { Problem } from '../../base/problem.ts'
import { type BodyDialect, type Charset, CHARSETS, type FormatName } from '../policy/body.ts'
import type { OpenCodec } from './codec/codec.ts'
import { openCsv } from './codec/csv.ts'
import { openForm } from './codec/form.ts'
import { openJson, openLines } from './codec/json.ts'
import { openMultipart } from './codec/multipart.ts'
import { openXml } from './codec/xml.ts'
import { openBinary, openText } from './codec/whole.ts'

/** A body's format; only `readFormat` makes one from what a caller says. */
export interface BodyFormat {
  readonly name: FormatName
  /** Lower case, without parameters. */
  readonly mediaType: string
  readonly charset: Charset
  readonly dialect?: BodyDialect
  /** What parts the parts of a multipart body. */
  readonly boundary?: string
}

/** What is known of a format. */
export interface FormatType {
  readonly open: OpenCodec
  /** Media types without a suffix. */
  readonly mediaTypes: readonly string[]
  /** RFC 6839 suffix that says it too. */
  readonly suffix?: string
  readonly charsets: readonly Charset[]
  /** How one row of it is written when it stands alone; absent when it has no rows. */
  readonly rows?: FormatName
  /** Whether it must be asked for by a `body:`. */
  readonly onlyByPolicy?: boolean
}

const UTF_8 = ['utf-8'] as const

/** Every format that can be read. */
// prettier-ignore
const FORMATS: Readonly<Partial<Record<FormatName, FormatType>>> = {
  json:   { open: openJson, mediaTypes: ['application/json'], suffix: '+json', charsets: CHARSETS },
  ndjson: { open: openLines, mediaTypes: ['application/x-ndjson', 'application/ndjson', 'application/jsonl'], charsets: CHARSETS, rows: 'json' },
  form:   { open: openForm, mediaTypes: ['application/x-www-form-urlencoded'], charsets: UTF_8 },
  multipart: { open: openMultipart, mediaTypes: ['multipart/form-data'], charsets: UTF_8 },
  text:   { open: openText, mediaTypes: ['text/plain'], charsets: CHARSETS, onlyByPolicy: true },
  binary: { open: openBinary, mediaTypes: ['application/octet-stream'], charsets: UTF_8, onlyByPolicy: true },
  xml:    { open: openXml, mediaTypes: ['application/xml', 'text/xml'], suffix: '+xml', charsets: CHARSETS },
  csv:    { open: openCsv, mediaTypes: ['text/csv'], charsets: CHARSETS, rows: 'csv' },
}

/** JSON, where nobody says anything else. */
export const JSON_FORMAT: BodyFormat = {
  name: 'json',
  mediaType: 'application/json',
  charset: 'utf-8',
}

/** What is known of a body's format. */
export function formatType({ name }: Pick<BodyFormat, 'name'>): FormatType {
  const type = FORMATS[name]
  if (type === undefined) throw new Problem('media-type-unsupported', `no codec reads ${name}`)
  return type
}

/**
 * Reads a Content-Type, in the light of what the policy says of bodies.
 *
 * @throws {Problem} `media-type-unsupported` when no codec knows it, or policy and caller disagree.
 */
export function readFormat(contentType: string, dialect?: BodyDialect): BodyFormat {
  const [essence = '', ...rest] = contentType.split(';')
  const mediaType = essence.trim().toLowerCase()
  const parameters = new Map(rest.map(readParameter))
  const name = dialect === undefined ? nameOf(mediaType) : dialectName(dialect, mediaType)
  const charset = charsetOf(name, parameters.get('charset'), dialect?.charset)
  const boundary = name === 'multipart' ? boundaryOf(parameters.get('boundary')) : undefined
  return {
    name,
    mediaType,
    charset,
    ...(dialect === undefined ? {} : { dialect }),
    ...(boundary === undefined ? {} : { boundary }),
  }
}

/** The Content-Type to send on: parameters could carry anything, so it is made anew. */
export function writeContentType({ mediaType, charset, boundary }: BodyFormat): string {
  if (boundary !== undefined) return `${mediaType}; boundary="${boundary}"`
  return charset === 'utf-8' ? mediaType : `${mediaType}; charset=${charset}`
}

/** A Content-Type of the format, for who has none to read. */
export function contentTypeOf(dialect: BodyDialect | undefined): string {
  return dialect?.mediaType ?? formatType({ name: dialect?.format ?? 'json' }).mediaTypes[0] ?? ''
}

/** RFC 9110 §5.6.6, without escapes inside quotation marks. */
function readParameter(text: string): readonly [string, string] {
  const [, name = '', quoted, plain] =
    /^\s*([\w!#$%&'*+.^`|~-]+)=(?:"([^"\\]*)"|([^\s"]+))\s*$/.exec(text) ?? []
  if (name === '') throw new Problem('media-type-unsupported', 'a parameter cannot be read')
  return [name.toLowerCase(), quoted ?? plain ?? '']
}

/** RFC 2046 §5.1.1, without blanks. */
function boundaryOf(boundary: string | undefined): string {
  if (boundary !== undefined && /^[\w'()+,./:=?-]{1,70}$/.test(boundary)) return boundary
  throw new Problem('media-type-unsupported', 'expected a boundary of 1 to 70 characters')
}

function nameOf(mediaType: string): FormatName {
  const found = TYPES.find(([, type]) => type.onlyByPolicy !== true && isOf(type, mediaType))
  if (found !== undefined) return found[0]
  throw new Problem('media-type-unsupported', `expected ${EXPECTED}`)
}

function dialectName({ format, mediaType: also }: BodyDialect, mediaType: string): FormatName {
  if (mediaType === also || isOf(formatType({ name: format }), mediaType)) return format
  throw new Problem('media-type-unsupported', `the policy expects ${format}`)
}

/** Names that mean a character set (encoding.spec.whatwg.org §4.2). */
const CHARSET_NAMES: ReadonlyMap<string, Charset> = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['gbk', 'gbk'],
  ['gb2312', 'gbk'],
  ['gb18030', 'gb18030'],
])

/** What nobody declares is UTF-8, and is refused where it is not: a guess could show another value. */
function charsetOf(name: FormatName, said: string | undefined, agreed?: Charset): Charset {
  const charset = said === undefined ? agreed : CHARSET_NAMES.get(said.toLowerCase())
  const isKnown = said === undefined || charset !== undefined
  const found = charset ?? 'utf-8'
  const { charsets } = formatType({ name })
  if (isKnown && charsets.includes(found) && (agreed ?? found) === found) return found
  const expected = agreed ?? charsets.join(' or ')
  throw new Problem('media-type-unsupported', `expected charset ${expected}`)
}

/** A type of one's own: too short a run of digits for a number of somebody. */
const SUFFIXED = /^application\/(?!.*\d{4})[a-z][a-z\d.-]{0,63}\+(?:json|xml)$/
const TYPES = Object.entries(FORMATS) as unknown as readonly (readonly [FormatName, FormatType])[]
const EXPECTED = TYPES.flatMap(([, type]) => type.mediaTypes.slice(0, 1)).join(', ')

function isOf({ mediaTypes, suffix }: FormatType, mediaType: string): boolean {
  if (mediaTypes.includes(mediaType)) return true
  return suffix !== undefined && mediaType.endsWith(suffix) && SUFFIXED.test(mediaType)
}

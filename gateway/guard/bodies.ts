/**
 * Takes bodies that are no JSON apart into named values. It trusts nothing and never throws: what it
 * cannot cut is one value, so that nothing goes unseen. It shares no code with the codecs, for it
 * must hold when they are wrong. @module
 */
import { type BodyDialect, CSV_DEFAULT, type CsvDialect } from '../policy/body.ts'

/** Values that stand together, and where. */
export interface Group {
  /** `record 3`, `part 2`, `element 5`: counted, for names may be personal. */
  readonly name: string
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** The text of a body in the character set that its media type says; what is none becomes U+FFFD. */
export function decodeBody(bytes: Buffer, mediaType: string): string {
  const charset = foreignCharset(mediaType)
  return charset === undefined ? bytes.toString('utf8') : decoderOf(charset).decode(bytes)
}

const decoders = new Map<string, TextDecoder>()

/** Made once: a long body comes in thousands of parts. */
function decoderOf(charset: string): TextDecoder {
  const decoder = decoders.get(charset) ?? new TextDecoder(charset)
  decoders.set(charset, decoder)
  return decoder
}

/** The same as bytes; those of a body that says nothing of a character set are its own. */
export function toUtf8(bytes: Buffer, mediaType: string): Buffer {
  return foreignCharset(mediaType) === undefined ? bytes : Buffer.from(decodeBody(bytes, mediaType))
}

function foreignCharset(mediaType: string): string | undefined {
  return /;\s*charset=(gbk|gb18030)/i.exec(mediaType)?.[1]?.toLowerCase()
}

/** How a table is written; undefined when its media type says nothing of a table. */
export function tableOf(
  mediaType: string,
  dialect: BodyDialect | undefined,
): CsvDialect | undefined {
  const isTable = dialect?.format === 'csv' || essenceOf(mediaType) === 'text/csv'
  return isTable ? (dialect?.csv ?? CSV_DEFAULT) : undefined
}

/** Whether each line of a body is a document of JSON. */
export function isLines(mediaType: string): boolean {
  return /^application\/(?:x-)?(?:ndjson|jsonl)$/.test(essenceOf(mediaType))
}

/** The media type without its parameters. */
export function essenceOf(mediaType: string): string {
  return (mediaType.split(';', 1)[0] ?? '').trim().toLowerCase()
}

/** Cuts a body that is no table into named values; undefined when its media type says nothing about names. */
export function groupsOf(
  text: string,
  mediaType: string,
  dialect: BodyDialect | undefined,
): Iterable<Group> | undefined {
  const type = essenceOf(mediaType)
  if (dialect?.format === 'xml' || /[/+]xml$/.test(type)) return elementGroups(text)
  const boundary = /;\s*boundary="?([^";]+)/i.exec(mediaType)?.[1]
  return type.startsWith('multipart/') ? partGroups(text, boundary ?? '') : undefined
}

const TOKEN =
  /<!--([\s\S]*?)(?:-->|$)|<!\[CDATA\[([\s\S]*?)(?:\]\]>|$)|<((?:"[^"]*"|'[^']*'|[^'">])*)>?|([^<]+)/g
const ATTRIBUTE = /([^\s=/"'<>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

/** Text belongs to the element that opened last; comments and CDATA do not part it. */
function* elementGroups(text: string): Generator<Group> {
  let count = 0
  let owner = ''
  let run = ''
  for (const [whole, comment, cdata, tag] of text.matchAll(TOKEN)) {
    if (comment !== undefined) yield { name: `comment ${count}`, fields: [['', comment]] }
    else if (tag === undefined) run += cdata ?? whole
    else {
      if (run.trim() !== '') yield { name: `element ${count}`, fields: [[owner, run]] }
      run = ''
      owner = (/^[^\s/>]*/.exec(tag)?.[0] ?? '').replace(/^.*:/, '')
      const rest = tag.slice(tag.search(/\s|$/))
      const fields = [...rest.matchAll(ATTRIBUTE)].map(
        ([, name = '', double, single]): [string, string] => [
          `@${name.replace(/^.*:/, '')}`,
          double ?? single ?? '',
        ],
      )
      count++
      // What is no attribute hides in the tag; the name itself may be personal too.
      yield {
        name: `element ${count}`,
        fields: [...fields, ['', owner], ['', rest.replace(ATTRIBUTE, '')]],
      }
    }
  }
  if (run.trim() !== '') yield { name: `element ${count}`, fields: [[owner, run]] }
}

function* partGroups(text: string, boundary: string): Generator<Group> {
  let count = 0
  for (const part of boundary === '' ? [text] : text.split(`--${boundary}`)) {
    count++
    const cut = part.search(/\r?\n\r?\n/)
    const head = cut < 0 ? part : part.slice(0, cut)
    const owner = /[;\s]name="([^"]*)"/i.exec(head)?.[1] ?? ''
    const file = /filename\*?="?([^";\r\n]*)/i.exec(head)?.[1]
    const fields: (readonly [string, string])[] = [['', head]]
    if (file !== undefined) fields.push(['filename', file])
    const content = cut < 0 ? '' : part.slice(cut).replace(/^\r?\n\r?\n|\r?\n$/g, '')
    fields.push([file === undefined ? owner : 'content', content])
    yield { name: `part ${count}`, fields }
  }
}

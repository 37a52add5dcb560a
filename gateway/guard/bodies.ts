/**
 * Takes bodies that are no JSON apart into named values. It trusts nothing and never throws: what it
 * cannot cut is one value, so that nothing goes unseen. It shares no code with the codecs, for it
 * must hold when they are wrong. @module
 */
import { type BodyDialect, CSV_DEFAULT, type CsvDialect } from '../policy/body.ts'
import { eachMatch } from './matches.ts'

/** Values that stand together, and where; one that may be no text at all comes as its bytes. */
export interface Group {
  /** `record 3`, `part 2`, `element 5`: counted, for names may be personal. */
  readonly name: string
  readonly fields: readonly (readonly [name: string, value: string | Buffer])[]
}

const decoders = new Map<string, TextDecoder>()

/** Made once: a long body comes in thousands of parts. */
function decoderOf(charset: string): TextDecoder {
  const decoder = decoders.get(charset) ?? new TextDecoder(charset)
  decoders.set(charset, decoder)
  return decoder
}

/** A body in UTF-8, where its media type says another character set; else it is as it came. */
export function toUtf8(bytes: Buffer, mediaType: string): Buffer {
  const charset = /;\s*charset=(gbk|gb18030)/i.exec(mediaType)?.[1]?.toLowerCase()
  return charset === undefined ? bytes : Buffer.from(decoderOf(charset).decode(bytes))
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
  bytes: Buffer,
  mediaType: string,
  dialect: BodyDialect | undefined,
): Iterable<Group> | undefined {
  const type = essenceOf(mediaType)
  if (dialect?.format === 'xml' || /[/+]xml$/.test(type))
    return elementGroups(bytes.toString('utf8'))
  const boundary = /;\s*boundary="?([^";]+)/i.exec(mediaType)?.[1]
  return type.startsWith('multipart/') ? partGroups(bytes, boundary ?? '') : undefined
}

/** A tag from `<` on; a quote that nothing closes ends it. */
const TAG = /<((?:[^'">]+|"[^"]*"|'[^']*')*)>?/y
const TAG_NAME_END = /[\s/>]/
const ATTRIBUTE = /([^\s=/"'<>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

/** Text belongs to the element that opened last; comments and CDATA do not part it. */
function* elementGroups(text: string): Generator<Group> {
  let [count, owner, run] = [0, '', '']
  for (let at = 0; at < text.length;) {
    const open = text.indexOf('<', at)
    if (open !== at) {
      run += text.slice(at, open < 0 ? text.length : open)
      at = open < 0 ? text.length : open
    } else if (text.startsWith('<!--', at)) {
      const end = indexOrEnd(text, '-->', at + 4)
      yield { name: `comment ${count}`, fields: [['', text.slice(at + 4, end)]] }
      at = end + 3
    } else if (text.startsWith('<![CDATA[', at)) {
      const end = indexOrEnd(text, ']]>', at + 9)
      run += text.slice(at + 9, end)
      at = end + 3
    } else {
      if (run.trim() !== '') yield { name: `element ${count}`, fields: [[owner, run]] }
      run = ''
      TAG.lastIndex = at
      const tag = TAG.exec(text)?.[1] ?? ''
      at = TAG.lastIndex
      const nameEnd = tag.search(TAG_NAME_END)
      owner = withoutPrefix(nameEnd < 0 ? tag : tag.slice(0, nameEnd))
      count++
      const fields = fieldsOf(tag, owner)
      if (fields.length > 0) yield { name: `element ${count}`, fields }
    }
  }
  if (run.trim() !== '') yield { name: `element ${count}`, fields: [[owner, run]] }
}

function indexOrEnd(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  return found < 0 ? text.length : found
}

/** The part of a name behind its last colon, on each of its lines. */
function withoutPrefix(name: string): string {
  return name.includes(':') ? name.replace(/^.*:/, '') : name
}

/** The attributes of a tag. What is none hides in it, and its name itself may be personal. */
function fieldsOf(tag: string, owner: string): Group['fields'] {
  const fields: [string, string][] = owner === '' ? [] : [['', owner]]
  const cut = tag.search(/\s/)
  if (cut < 0) return fields
  const rest = tag.slice(cut)
  let [hidden, end] = ['', 0]
  eachMatch(rest, ATTRIBUTE, ({ 0: whole, 1: name = '', 2: double, 3: single, index }) => {
    fields.push([`@${withoutPrefix(name)}`, double ?? single ?? ''])
    hidden += rest.slice(end, index)
    end = index + whole.length
  })
  fields.push(['', hidden + rest.slice(end)])
  return fields
}

/** Parts are cut in the bytes as Latin-1, where each is as long as its text. */
function* partGroups(bytes: Buffer, boundary: string): Generator<Group> {
  const body = bytes.toString('latin1')
  const mark = Buffer.from(`--${boundary}`).toString('latin1')
  let count = 0
  let start = 0
  for (const part of boundary === '' ? [body] : body.split(mark)) {
    count++
    const [blank, cut] = blankLine(part)
    const head = part.slice(0, blank)
    const owner = utf8Of(/[;\s]name="([^"]*)"/i.exec(head)?.[1] ?? '')
    const file = /filename\*?="?([^";\r\n]*)/i.exec(head)?.[1]
    const end = part.length - (part.endsWith('\r\n') ? 2 : part.endsWith('\n') ? 1 : 0)
    yield {
      name: `part ${count}`,
      fields: [
        ['', bytes.subarray(start, start + blank)],
        ...(file === undefined ? [] : ([['filename', utf8Of(file)]] as const)),
        [
          file === undefined ? owner : 'content',
          bytes.subarray(start + cut, start + Math.max(cut, end)),
        ],
      ],
    }
    start += part.length + mark.length
  }
}

function utf8Of(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

/** Where the line begins and ends that parts head and content; a part without one is all head. */
function blankLine(part: string): [start: number, end: number] {
  const found = /\r?\n\r?\n/.exec(part)
  if (found === null) return [part.length, part.length]
  return [found.index, found.index + found[0].length]
}

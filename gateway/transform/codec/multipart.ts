/**
 * multipart/form-data (RFC 7578): an object of its parts. A text is a string, `$.name`; a file is an
 * object, `$.photo.filename` and `$.photo.content`, whose content goes through as it comes. @module
 */
import { isUtf8 } from 'node:buffer'
import { createHash, type Hash } from 'node:crypto'
import { malformed } from '../../../base/json-token.ts'
import { Problem } from '../../../base/problem.ts'
import { PARTS_MAX, PART_HEAD_BYTES_MAX } from '../limits.ts'
import type { Spelling } from '../program.ts'
import { spanText } from '../source.ts'
import type { BodySink, OpenCodec, Reader } from './codec.ts'
import { textOfJson } from './form.ts'
import { type PartHead, readPartHead } from './part.ts'
import { writeDigest } from './whole.ts'

/** Reads parts. */
export const openMultipart: OpenCodec = ({ boundary = '' }) => {
  const parts = startParts(boundary)
  return {
    spelling: spellingOf(parts),
    isText: false,
    read: (sink) => readParts(parts, sink),
  }
}

/** A body on its way. */
interface Parts {
  readonly delimiter: Buffer
  readonly names: Set<string>
  /** The content of the file at hand. */
  file: Hash | undefined
  /** Whether the value at hand is a file's name. */
  isFileName: boolean
}

function startParts(boundary: string): Parts {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  return { delimiter, names: new Set(), file: undefined, isFileName: false }
}

/** The members of a file stand nowhere in the body. */
const FILE_MEMBERS = ['filename', 'content'] as const

function spellingOf(parts: Parts): Spelling {
  const write = (text: string) => {
    if (parts.isFileName) return quoteName(text)
    if (!text.includes(parts.delimiter.toString('latin1'))) return text
    throw new Problem('value-unsuitable', 'a new value holds the boundary of the parts')
  }
  return {
    nameQuote: 0,
    readName: (source, start, end) =>
      start < 0 ? (FILE_MEMBERS[-1 - start] ?? '') : spanText(source, start, end),
    readScalar: (source, _type, start, end) => spanText(source, start, end),
    toJson: (source, start, end) => JSON.stringify(spanText(source, start, end)),
    writeName: quoteName,
    writeText: write,
    writeJson: (json) => write(textOfJson(json)),
    // Without a name it would be no file.
    placeholder: () => (parts.isFileName ? 'file' : undefined),
  }
}

/** As browsers write names (html.spec.whatwg.org §4.10.21.8). */
function quoteName(name: string): string {
  return name
    .replaceAll('\r', '%0D')
    .replaceAll('\n', '%0A')
    .replaceAll('"', '%22')
    .replaceAll('\\', '%5C')
}

const DASHES = 0x2d2d
const LINE_BREAK = 0x0d0a

/** A walk over the parts. */
interface Walk extends Parts {
  readonly sink: BodySink
  readonly reader: Reader
  /** Where the delimiter read last ends, if it is the final one. */
  finalEnd: number
}

function readParts(parts: Parts, sink: BodySink): Reader {
  const reader: Reader = {
    offset: 0,
    paused: false,
    row: undefined,
    advance(bytes, last, start, end) {
      for (let at = start; ;) {
        const { file } = walk
        const next = file ? readContent(walk, file, bytes, at, end) : readPart(walk, bytes, at, end)
        if (next === undefined) {
          if (last) throw malformed(reader.offset + end, 'the parts end early')
          return file ? takeContent(walk, file, bytes.subarray(at, end), at) : at
        }
        if (next < 0) return conclude(walk, bytes, last, at, end)
        at = next
      }
    },
  }
  const walk: Walk = Object.assign(parts, { sink, reader, finalEnd: 0 })
  sink.open(false, -1)
  return reader
}

/** @returns where its content ends, or begins if it is a file; undefined when it is not all there. */
function readPart(walk: Walk, bytes: Buffer, at: number, end: number): number | undefined {
  const { reader, names, delimiter } = walk
  // The first delimiter has no line break before it.
  const isFirst = reader.offset + at === 0 && names.size === 0
  const mark = isFirst ? delimiter.subarray(2) : delimiter
  const after = at + mark.length
  if (after + 2 > end) return undefined
  if (!bytes.subarray(at, after).equals(mark)) throw wrongAt(walk, at, 'expected the boundary')
  walk.finalEnd = after + 2
  if (bytes.readUInt16BE(after) === DASHES) return -1
  if (bytes.readUInt16BE(after) !== LINE_BREAK) throw wrongAt(walk, after, 'expected a line break')
  const headEnd = bytes.indexOf('\r\n\r\n', after)
  const isCutOff = headEnd < 0 || headEnd + 4 > end
  if ((isCutOff ? end : headEnd) - after > PART_HEAD_BYTES_MAX) {
    const reason = `the head of a part is longer than ${PART_HEAD_BYTES_MAX} bytes`
    throw wrongAt(walk, after, reason)
  }
  if (isCutOff) return undefined
  const head = readPartHead(bytes, after + 2, headEnd, reader.offset)
  const lead = isFirst ? at : at + 2
  if (head.fileStart === undefined) return readField(walk, bytes, lead, head, headEnd + 4, end)
  enter(walk, head, lead)
  openFile(walk, head, headEnd + 4)
  return headEnd + 4
}

// prettier-ignore
function readField(walk: Walk, bytes: Buffer, lead: number, head: PartHead, start: number, end: number): number | undefined {
  const contentEnd = contentEndOf(walk, bytes, start, end)
  if (contentEnd === undefined) return undefined
  if (!isUtf8(bytes.subarray(start, contentEnd))) throw wrongAt(walk, start, 'expected UTF-8')
  enter(walk, head, lead)
  walk.sink.scalar('string', start, contentEnd)
  return contentEnd
}

function openFile(walk: Walk, { fileStart = 0, fileEnd }: PartHead, content: number): void {
  const { sink } = walk
  sink.open(false, fileStart - 1, 'part')
  walk.isFileName = true
  sink.member(fileStart, 0, -1, -1, 'filename')
  sink.scalar('string', fileStart, fileEnd)
  walk.isFileName = false
  sink.literal(fileEnd, content)
  sink.member(content, 0, -2, -2, 'content')
  sink.open(false, content - 1, 'bytes')
  walk.file = createHash('sha256')
}

// prettier-ignore
function readContent(walk: Walk, file: Hash, bytes: Buffer, at: number, end: number): number | undefined {
  const contentEnd = contentEndOf(walk, bytes, at, end)
  if (contentEnd === undefined) return undefined
  const digest = writeDigest(file.update(bytes.subarray(at, contentEnd)).digest())
  walk.file = undefined
  walk.sink.close(contentEnd, digest)
  walk.sink.close(contentEnd, digest)
  return contentEnd
}

/** Takes what is surely no part of a delimiter. @returns where it ends. */
function takeContent({ delimiter }: Walk, file: Hash, rest: Buffer, at: number): number {
  const size = Math.max(0, rest.length - delimiter.length)
  file.update(rest.subarray(0, size))
  return at + size
}

// prettier-ignore
function contentEndOf({ delimiter }: Walk, bytes: Buffer, start: number, end: number): number | undefined {
  const at = bytes.indexOf(delimiter, start)
  return at < 0 || at + delimiter.length > end ? undefined : at
}

function enter(walk: Walk, { name, nameStart, nameEnd }: PartHead, lead: number): void {
  const { names, sink } = walk
  if (names.size === PARTS_MAX)
    throw new Problem('body-too-large', `the body has over ${PARTS_MAX} parts`)
  if (names.size === names.add(name).size)
    throw wrongAt(walk, nameStart, 'a part of this name was met')
  sink.member(lead, 0, nameStart, nameEnd, name)
}

/** Behind the last delimiter only its line break may stand. */
function conclude(walk: Walk, bytes: Buffer, last: boolean, at: number, end: number): number {
  const rest = bytes.subarray(walk.finalEnd, end).toString('latin1')
  if (!'\r\n'.startsWith(rest))
    throw wrongAt(walk, walk.finalEnd, 'expected nothing after the parts')
  if (last) walk.sink.close(end)
  return last ? end : at
}

function wrongAt({ reader }: Walk, at: number, reason: string): Problem {
  return malformed(reader.offset + at, reason)
}

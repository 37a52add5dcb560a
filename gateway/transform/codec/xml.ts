/**
 * XML 1.0: an object that holds the document's element. An element with text alone is a string, any
 * other one an object of attributes (`@name`), elements and `#text`. @module
 */
import { DEPTH_MAX } from '../../../base/json-scan.ts'
import { malformed } from '../../../base/json-token.ts'
import { Problem } from '../../../base/problem.ts'
import type { BodyFormat } from '../format.ts'
import type { BodySink, OpenCodec, Reader } from './codec.ts'
import { readDeclaration } from './xml-declaration.ts'
import {
  closeElement,
  type Document,
  enter,
  openElement,
  placeAttributes,
  readPlain,
} from './xml-document.ts'
import { createXmlNames, OUTERMOST } from './xml-names.ts'
import { newXmlItem, type XmlItem, xmlSpelling } from './xml-spelling.ts'
import { readStartTag, requireText, skipBlanks, type StartTag, tagEnd } from './xml-token.ts'

/** Reads a document. */
export const openXml: OpenCodec = (format) => {
  const item = newXmlItem()
  return {
    spelling: xmlSpelling(item),
    isText: true,
    read: (sink) => readXml(format, item, sink),
  }
}

const LESS = 0x3c
const SLASH = 0x2f
const BANG = 0x21
const QUESTION = 0x3f

function readXml(format: BodyFormat, item: XmlItem, sink: BodySink): Reader {
  const names = createXmlNames(format.dialect?.namespaces)
  let begun = false
  const reader: Reader = {
    offset: 0,
    paused: false,
    row: undefined,
    advance(bytes, last, start, end) {
      // Paths of what is open are known by now; positions count anew.
      if (document.offset !== reader.offset) item.names.clear()
      document.offset = reader.offset
      let at = start
      if (!begun) {
        at = readDeclaration(bytes, end, last, format.charset)
        if (at < 0) return start
        sink.literal(0, at)
        begun = true
      }
      for (;;) {
        // White space goes with what follows it, so it is read again with more bytes behind.
        const next = readToken(document, bytes, at, end, last)
        if (next < 0) return at
        at = next
        if (document.isConcluded) return end
      }
    },
  }
  // prettier-ignore
  const document: Document = {
    sink, item, names, reader, open: [], silentFrom: 0, hasRoot: false, isConcluded: false, offset: 0,
  }
  sink.open(false, -1)
  return reader
}

/** @returns where the token behind `lead` ends, -1 when it is not all there. */
// prettier-ignore
function readToken(document: Document, bytes: Buffer, lead: number, end: number, last: boolean): number {
  const { reader, open } = document
  const at = skipBlanks(bytes, lead, end)
  if (at === end) return last ? conclude(document, end) : -1
  if (bytes[at] !== LESS) return readText(document, bytes, lead, at, end, last)
  const next = at + 1 < end ? bytes[at + 1] : undefined
  if (next === undefined || (next === BANG && at + CDATA.length > end && !last))
    return endsEarly(document, last, end)
  if (next === QUESTION) throw malformed(reader.offset + at, 'a processing instruction')
  if (next === BANG) {
    const isSection = bytes.toString('latin1', at, at + CDATA.length) === CDATA
    return isSection
      ? readText(document, bytes, lead, at, end, last)
      : readComment(document, bytes, at, end, last)
  }
  const after = tagEnd(bytes, at, end)
  if (after < 0) return endsEarly(document, last, end)
  if (next === SLASH) return readEndTag(document, bytes, at, after)
  if (open.length === 0 && document.hasRoot)
    throw malformed(reader.offset + at, 'expected nothing after the document')
  const tag = readStartTag(bytes, at, after, reader.offset)
  return readElement(document, bytes, lead, at, tag, end, last)
}

const CDATA = '<![CDATA['

/** Reads text and CDATA up to the next tag or comment. */
// prettier-ignore
function readText(document: Document, bytes: Buffer, lead: number, at: number, end: number, last: boolean): number {
  const { reader, open, sink, item } = document
  if (open.length === 0) throw malformed(reader.offset + at, 'text outside of the document')
  const after = contentEnd(bytes, at, end, reader.offset)
  if (after < 0) return endsEarly(document, last, end)
  if (document.silentFrom === 0) {
    item.kind = 'text'
    enter(document, lead, '#text', at, at)
    sink.scalar('string', at, after)
    item.names.delete(at)
  }
  return after
}

/** A comment is for nobody that a policy names: it goes, unless all around it is kept. */
// prettier-ignore
function readComment({ reader, sink, silentFrom }: Document, bytes: Buffer, at: number, end: number, last: boolean): number {
  if (bytes.toString('latin1', at, at + 4) !== '<!--')
    throw malformed(reader.offset + at, 'a document type declaration')
  const dashes = bytes.indexOf('--', at + 4)
  if (dashes < 0 || dashes + 2 >= end) {
    if (last) throw malformed(reader.offset + end, 'the document ends early')
    return -1
  }
  if (bytes[dashes + 2] !== 0x3e) throw malformed(reader.offset + dashes, 'two dashes in a comment')
  if (silentFrom === 0) sink.skip(at, dashes + 3)
  return dashes + 3
}

// prettier-ignore
function readElement(document: Document, bytes: Buffer, lead: number, at: number, tag: StartTag, end: number, last: boolean): number {
  const { reader, open, names } = document
  const outer = open.at(-1)?.scope ?? OUTERMOST
  const scope = names.enter(outer, tag.attributes, bytes, reader.offset)
  const path = names.element(scope, tag.name, reader.offset + at)
  const attributes = placeAttributes(document, scope, tag)
  // An element with text alone is one value, if it has no attributes to be decided on their own.
  if (attributes.every(({ path: name }) => name === undefined)) {
    const textEnd = tag.isEmpty ? tag.closeStart : contentEnd(bytes, tag.end, end, reader.offset)
    if (textEnd < 0 || textEnd + 1 >= end) return endsEarly(document, last, end)
    if (bytes[textEnd + 1] === SLASH || tag.isEmpty) {
      const after = tag.isEmpty ? tag.end : closeOf(document, bytes, textEnd, end, tag.name, last)
      if (after >= 0) readPlain(document, lead, at, path, tag, textEnd, after)
      return after
    }
  }
  if (open.length === DEPTH_MAX) {
    const place = reader.offset + at
    throw new Problem('body-too-large', `nesting is deeper than ${DEPTH_MAX} at byte ${place}`)
  }
  openElement(document, lead, at, path, tag, attributes, scope)
  if (tag.isEmpty) closeElement(document, tag.end)
  return tag.end
}

/** @returns where the end tag at `at` ends. */
// prettier-ignore
function closeOf(document: Document, bytes: Buffer, at: number, end: number, name: string, last: boolean): number {
  const after = tagEnd(bytes, at, end)
  if (after < 0) return endsEarly(document, last, end)
  requireEndTag(document, bytes, at, after, name)
  return after
}

function readEndTag(document: Document, bytes: Buffer, at: number, end: number): number {
  const { open, reader } = document
  const element = open.at(-1)
  if (element === undefined) throw malformed(reader.offset + at, 'an end tag without its start')
  requireEndTag(document, bytes, at, end, element.name)
  closeElement(document, end)
  return end
}

// prettier-ignore
function requireEndTag({ reader }: Document, bytes: Buffer, at: number, end: number, name: string): void {
  const start = at + 2
  if (start + name.length === end - 1 && isAsciiAt(bytes, start, name)) return
  const written = bytes.toString('utf8', start, end - 1)
  if (written.trimEnd() !== name) throw malformed(reader.offset + at, 'an end tag of another element')
}

/** Whether a text of ASCII stands there; of other texts the answer may be false. */
function isAsciiAt(bytes: Buffer, start: number, text: string): boolean {
  for (let at = 0; at < text.length; at++)
    if (bytes[start + at] !== text.charCodeAt(at) || (bytes[start + at] as number) > 0x7f)
      return false
  return true
}

/** @returns where text and CDATA end, at the next tag or comment; -1 when that is not there yet. */
function contentEnd(bytes: Buffer, start: number, end: number, offset: number): number {
  for (let at = start; ;) {
    const less = bytes.indexOf(LESS, at)
    if (less < 0 || less >= end) return -1
    requireText(bytes, at, less, offset)
    if (bytes[less + 1] !== BANG) return less
    if (less + CDATA.length > end) return -1
    if (bytes.toString('latin1', less, less + CDATA.length) !== CDATA) return less
    const close = bytes.indexOf(']]>', less)
    if (close < 0 || close + 3 > end) return -1
    at = close + 3
  }
}

function endsEarly({ reader }: Document, last: boolean, end: number): number {
  if (last) throw malformed(reader.offset + end, 'the document ends early')
  return -1
}

function conclude(document: Document, end: number): number {
  if (document.open.length > 0 || !document.hasRoot) endsEarly(document, true, end)
  document.sink.close(end)
  document.isConcluded = true
  return end
}

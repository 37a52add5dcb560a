/** A document of XML on its way: its open elements, and how they are reported. @module */
import { malformed } from '../../../base/json-token.ts'
import { Problem } from '../../../base/problem.ts'
import { CHILD_NAMES_MAX } from '../limits.ts'
import type { BodySink, Reader } from './codec.ts'
import { isDeclaration, type Scope, type XmlNames } from './xml-names.ts'
import type { XmlItem } from './xml-spelling.ts'
import type { Attribute, StartTag } from './xml-token.ts'

/** An open element. */
export interface Element {
  readonly name: string
  readonly nameStart: number
  readonly scope: Scope
  /** How often each name was met in it: the second one is told from the first in claims. */
  readonly children: Map<string, number>
}

/** A document on its way. */
export interface Document {
  readonly sink: BodySink
  readonly item: XmlItem
  readonly names: XmlNames
  readonly reader: Reader
  readonly open: Element[]
  /** Depth of the element whose inside is not reported; 0 when all is. */
  silentFrom: number
  hasRoot: boolean
  isConcluded: boolean
  /** What the names' positions count from. */
  offset: number
}

/** An attribute and its name in paths, none for a namespace. */
export interface Placed extends Attribute {
  readonly path: string | undefined
}

const NONE: readonly Placed[] = []

/** Names the attributes of a start tag. */
export function placeAttributes(
  { names, reader }: Document,
  scope: Scope,
  tag: StartTag,
): readonly Placed[] {
  if (tag.attributes.length === 0) return NONE
  const met = new Set<string>()
  return tag.attributes.map((attribute) => {
    if (isDeclaration(attribute)) return { ...attribute, path: undefined }
    const at = reader.offset + attribute.nameStart
    const path = names.attribute(scope, attribute.name, at)
    if (met.size === met.add(path).size) throw malformed(at, 'the element has this attribute twice')
    return { ...attribute, path }
  })
}

/** Reports an element with text alone. */
// prettier-ignore
export function readPlain(document: Document, lead: number, at: number, path: string, tag: StartTag, textEnd: number, after: number): void {
  const { sink, item } = document
  document.hasRoot = true
  if (document.silentFrom !== 0) return
  item.kind = 'element'
  item.name = tag.name
  item.isEmpty = tag.isEmpty
  item.contentEnd = textEnd
  enter(document, lead, path, at + 1, tag.nameEnd)
  sink.scalar('string', tag.isEmpty ? tag.closeStart : tag.end, after)
  item.names.delete(at + 1)
}

/** Reports the start of an element, and its attributes. */
// prettier-ignore
export function openElement(document: Document, lead: number, at: number, path: string, tag: StartTag, attributes: readonly Placed[], scope: Scope): void {
  const { sink, item, open, silentFrom } = document
  document.hasRoot = true
  if (silentFrom === 0) {
    item.kind = 'container'
    enter(document, lead, path, at + 1, tag.nameEnd)
    if (!sink.open(false, tag.nameEnd - 1)) document.silentFrom = open.length + 1
  }
  open.push({ name: tag.name, nameStart: at + 1, scope, children: new Map() })
  if (document.silentFrom !== 0) return
  for (const { lead: before, nameStart, nameEnd, valueStart, valueEnd, path: name } of attributes) {
    if (name === undefined) sink.literal(before, valueEnd)
    else {
      item.kind = 'attribute'
      item.names.set(nameStart, name)
      sink.member(before, 0, nameStart, nameEnd, name)
      sink.scalar('string', valueStart, valueEnd)
      item.names.delete(nameStart)
    }
  }
  sink.skip(tag.closeStart, tag.closeStart)
  sink.literal(tag.closeStart, tag.end)
}

/** Reports the end of the innermost element. */
export function closeElement(document: Document, end: number): void {
  const { sink, open, item } = document
  const element = open.pop()
  if (document.silentFrom === open.length + 1) document.silentFrom = 0
  if (document.silentFrom === 0) sink.close(end)
  if (element !== undefined) item.names.delete(element.nameStart)
}

/** Reports an item; of several with one name in an element, all have one path, and claims of their own. */
export function enter(
  document: Document,
  lead: number,
  path: string,
  start: number,
  end: number,
): void {
  const { sink, item, open } = document
  const children = open.at(-1)?.children
  const count = (children?.get(path) ?? 0) + 1
  if (children !== undefined && count === 1 && children.size === CHILD_NAMES_MAX)
    throw new Problem('body-too-large', `an element has over ${CHILD_NAMES_MAX} names`)
  children?.set(path, count)
  item.names.set(start, count === 1 ? path : `${path}[${count}]`)
  sink.member(lead, 0, start, end, path)
}

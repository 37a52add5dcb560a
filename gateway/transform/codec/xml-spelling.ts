/** How XML spells the value at hand: text of an element, an attribute, text between elements. @module */
import { Problem } from '../../../base/problem.ts'
import type { Spelling } from '../program.ts'
import { spanText } from '../source.ts'
import { textOfJson } from './form.ts'
import { decodeText, encodeMarkup } from './xml-token.ts'

/** What the reader has at hand. Names go by where they stand, while their element is open. */
export interface XmlItem {
  kind: 'attribute' | 'element' | 'text' | 'container'
  /** Of an element with text: its name as it stands, where its text ends, and whether it is `<a/>`. */
  name: string
  contentEnd: number
  isEmpty: boolean
  readonly names: Map<number, string>
}

/** @returns what the reader fills. */
export function newXmlItem(): XmlItem {
  return { kind: 'container', name: '', contentEnd: 0, isEmpty: false, names: new Map() }
}

/** The spelling of what `item` holds. */
export function xmlSpelling(item: XmlItem): Spelling {
  let renamed: string | undefined
  const write = (text: string) => {
    const markup = encodeMarkup(text)
    if (item.kind === 'attribute') return `"${markup}"`
    if (item.kind !== 'element') return markup
    const name = renamed ?? item.name
    renamed = undefined
    return `${item.isEmpty ? '>' : ''}${markup}</${name}>`
  }
  const read = (source: string) => {
    if (item.kind === 'attribute')
      return decodeText(source.slice(1, -1).replace(/[\t\n]|\r\n?/g, ' '))
    return decodeText(source)
  }
  const valueEnd = (end: number) => (item.kind === 'element' ? item.contentEnd : end)
  return {
    nameQuote: 0,
    numbersNames: true,
    readName: (_source, start) => item.names.get(start) ?? '',
    readScalar: (source, _type, start, end) => read(spanText(source, start, valueEnd(end))),
    toJson: (source, start, end, isContainer) =>
      JSON.stringify(
        isContainer
          ? spanText(source, start + 1, end)
          : read(spanText(source, start, valueEnd(end))),
      ),
    writeName(name) {
      if (item.kind === 'container')
        throw new Problem('policy-refused', 'an element that holds others cannot be renamed')
      if (item.kind === 'attribute') return name.replace(/^@/, '')
      // In the namespace that the element has.
      const prefix = /^[^:]*:/.exec(item.name)?.[0] ?? ''
      renamed = prefix + name.replace(/^.*:/, '')
      return renamed
    },
    writeText: write,
    writeJson: (json) => write(textOfJson(json)),
    tail(to) {
      if (item.kind !== 'element' || to <= item.contentEnd) return undefined
      const text = `</${renamed ?? item.name}>`
      renamed = undefined
      return item.isEmpty ? undefined : { from: item.contentEnd, text }
    },
  }
}

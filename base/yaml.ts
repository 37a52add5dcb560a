/**
 * A strict subset of the YAML 1.2 core schema: what a reader sees is what is meant. Duplicate keys,
 * anchors, aliases, tags, merge keys, directives and further documents are refused, and so are
 * numbers that JSON would not read the same. Pure. @module
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type ParsedNode } from 'yaml'
import type { Report, Spot } from './diagnostic.ts'

export type YamlNode = YamlMap | YamlList | YamlScalar

export interface YamlMap {
  readonly node: 'map'
  readonly at: Spot
  readonly entries: ReadonlyMap<string, YamlEntry>
}
export interface YamlEntry {
  readonly key: YamlScalar
  readonly value: YamlNode
}
export interface YamlList {
  readonly node: 'list'
  readonly at: Spot
  readonly items: readonly YamlNode[]
}
export interface YamlScalar {
  readonly node: 'scalar'
  readonly at: Spot
  readonly value: string | number | boolean | null
  /** A number's spelling, so that `1.10` stays `1.10`; any other value's text. */
  readonly text: string
  /** In quotes: its characters then start one column after `at`. */
  readonly isQuoted: boolean
}

/** A file longer than this is refused unread; policies are a few kilobytes. */
export const YAML_CHARACTERS_MAX = 1 << 20
const YAML_DEPTH_MAX = 64

/**
 * Parses one document; everything wrong with it goes to `report`. A document that can be walked is
 * returned even so, so that the reader finds its own errors too: only `report.errorCount` tells.
 */
export function parseYaml(report: Report, file: string, text: string): YamlNode | undefined {
  report.addSource(file, text)
  if (text.length > YAML_CHARACTERS_MAX || bracketDepth(text) > YAML_DEPTH_MAX) {
    report.error(
      { file, line: 1, column: 1 },
      'the file is too large or too deeply nested',
      `at most ${YAML_CHARACTERS_MAX} characters and ${YAML_DEPTH_MAX} levels are read`,
    )
    return undefined
  }
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: true,
    intAsBigInt: true,
    prettyErrors: false,
    lineCounter: lines,
  })
  const spot = (from: number, to = from + 1): Spot => {
    const { line, col } = lines.linePos(from)
    const end = text.slice(from, to).split('\n', 1)[0] ?? ''
    const column = [...text.slice(from - col + 1, from)].length + 1
    return { file, line, column, length: Math.max(1, [...end].length) }
  }
  for (const { code, message, pos } of document.errors) {
    const [say, help] = SYNTAX[code] ?? [lowerFirst(message.replaceAll('\n', ' ')), '']
    report.error(spot(...pos), say, help)
  }
  const { yaml, tags } = document.directives ?? { yaml: {}, tags: {} }
  if (('explicit' in yaml && yaml.explicit) || Object.keys(tags).length > 1) {
    report.error(spot(0), 'directives (`%…`) are not allowed', 'delete the line')
  }
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return undefined
  if (document.contents === null) {
    report.error(spot(0), 'the file is empty', '')
    return undefined
  }
  return convert(document.contents, { report, spot, text })
}

/** The JSON text of a node; numbers keep their spelling, maps their order. */
export function toJsonText(node: YamlNode): string {
  if (node.node === 'scalar') {
    return typeof node.value === 'number' ? node.text : JSON.stringify(node.value)
  }
  if (node.node === 'list') return `[${node.items.map(toJsonText).join(',')}]`
  const members = [...node.entries].map(
    ([name, { value }]) => `${JSON.stringify(name)}:${toJsonText(value)}`,
  )
  return `{${members.join(',')}}`
}

// prettier-ignore
const SYNTAX: Readonly<Record<string, readonly [message: string, help: string]>> = {
  DUPLICATE_KEY:      ['the same key stands twice in one map', 'remove one of the two'],
  MULTIPLE_DOCS:      ['a second document starts here', 'put it into a file of its own'],
  TAB_AS_INDENT:      ['a tab is used to indent', 'indent with spaces'],
  TAG_RESOLVE_FAILED: ['tags (`!…`) are not allowed', 'delete the tag'],
}

interface Context {
  readonly report: Report
  readonly spot: (from: number, to?: number) => Spot
  readonly text: string
}

function convert(node: ParsedNode | null, context: Context): YamlNode {
  const { report, spot, text } = context
  const [from, to] = node?.range ?? [0, 1]
  const at = spot(from, to)
  if (node === null || isAlias(node)) {
    report.error(at, 'aliases (`*…`) are not allowed', 'write the value out where it is used')
    return { node: 'scalar', at, value: null, text: '', isQuoted: false }
  }
  if (node.anchor !== undefined) {
    report.error(at, 'anchors (`&…`) are not allowed', 'delete the anchor')
  }
  // The library resolves a known tag silently; only the source shows that one was written.
  if (node.tag !== undefined && /(^|[\s[{,:-])!\S*\s+$/.test(text.slice(0, from))) {
    report.error(
      at,
      'tags (`!…`) are not allowed',
      'delete the tag; quote the value to make it text',
    )
  }
  if (isSeq(node)) {
    return {
      node: 'list',
      at,
      items: node.items.map((item) => convert(item as ParsedNode, context)),
    }
  }
  if (isMap(node)) {
    const entries = new Map<string, YamlEntry>()
    for (const { key, value } of node.items) {
      const name = convert(key as ParsedNode, context)
      const item = value === null ? emptyAfter(name) : convert(value as ParsedNode, context)
      if (name.node !== 'scalar' || typeof name.value !== 'string') {
        report.error(name.at, 'a key must be text', 'put the key in quotes')
      } else if (name.value === '<<') {
        report.error(name.at, 'merge keys (`<<`) are not allowed', 'write the keys out')
      } else {
        entries.set(name.value, { key: name, value: item })
      }
    }
    return { node: 'map', at, entries }
  }
  return convertScalar(node, at, report)
}

function emptyAfter({ at }: YamlNode): YamlScalar {
  return { node: 'scalar', at, value: null, text: '', isQuoted: false }
}

function convertScalar(node: ParsedNode, at: Spot, report: Report): YamlScalar {
  const value: unknown = isScalar(node) ? node.value : null
  const text = isScalar(node) && typeof node.source === 'string' ? node.source : String(value)
  if (typeof value === 'bigint' || typeof value === 'number') {
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) {
      report.error(at, `\`${text}\` is not a number as JSON writes it`, 'put it in quotes')
    } else if (typeof value === 'bigint' && !Number.isSafeInteger(Number(value))) {
      report.error(
        at,
        'a bare integer this large loses digits in other programs',
        `put it in quotes: "${text}"`,
      )
    }
    return { node: 'scalar', at, value: Number(value), text, isQuoted: false }
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) report.error(at, 'the text holds half a surrogate pair', 'remove it')
    const isQuoted = isScalar(node) && /^QUOTE/.test(node.type ?? '')
    return { node: 'scalar', at, value, text: value, isQuoted }
  }
  return {
    node: 'scalar',
    at,
    value: typeof value === 'boolean' ? value : null,
    text,
    isQuoted: false,
  }
}

/** Deepest run of open brackets: a bound on the library's recursion, counted before it recurses. */
function bracketDepth(text: string): number {
  let depth = 0
  let deepest = 0
  for (const character of text) {
    if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth)
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1)
  }
  return deepest
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1)
}

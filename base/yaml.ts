/**
 * A strict subset of the YAML 1.2 core schema: what a reader sees is what is meant. Duplicate keys,
 * anchors, aliases, tags, merge keys, directives and further documents are refused, and so are
 * numbers that JSON would not read the same and characters that nobody sees. Pure. @module
 */
import {
  CST,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  type ParsedNode,
} from 'yaml'
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
  const before = report.errorCount
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
    // One misread token makes the library stumble over each that follows.
    if (code === 'UNEXPECTED_TOKEN' && report.errorCount > before) break
    const [say, help] = SYNTAX[code] ?? [lowerFirst(message.replaceAll('\n', ' ')), SYNTAX_HELP]
    report.error(spot(...pos), say, help)
  }
  refuseSyntax(text, spot, report)
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return undefined
  if (document.contents === null) {
    report.error(spot(0), 'the file is empty', 'write its keys into it')
    return undefined
  }
  return convert(document.contents, spot, report)
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

const SYNTAX_HELP = 'close quotes and brackets, and indent what belongs together alike'
// prettier-ignore
const SYNTAX: Readonly<Record<string, readonly [message: string, help: string]>> = {
  DUPLICATE_KEY:      ['the same key stands twice in one map', 'remove one of the two'],
  MULTIPLE_DOCS:      ['a second document starts here', 'put it into a file of its own'],
  UNEXPECTED_TOKEN:   ['the text cannot be read from here on', 'close quotes and brackets; quote text that holds one of `{}[],#`'],
  TAB_AS_INDENT:      ['a tab is used to indent', 'indent with spaces'],
}

type ToSpot = (from: number, to?: number) => Spot

// prettier-ignore
const REFUSED: Readonly<Record<string, readonly [message: string, help: string]>> = {
  'anchor':         ['anchors (`&…`) are not allowed', 'delete the anchor'],
  'alias':          ['aliases (`*…`) are not allowed', 'write the value out where it is used'],
  'tag':            ['tags (`!…`) are not allowed', 'delete the tag; quote the value to make it text'],
  'directive-line': ['directives (`%…`) are not allowed', 'delete the line'],
}

/** Controls, and characters that have no width or turn the direction of what follows. */
const INVISIBLE =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g

/** Refuses what the library would resolve silently, and what a reader of the file cannot see. */
function refuseSyntax(text: string, spot: ToSpot, report: Report): void {
  for (const { 0: character, index } of text.matchAll(INVISIBLE)) {
    const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
    report.error(spot(index), `an invisible character (U+${code}) stands here`, 'delete it')
  }
  let offset = 0
  let isContent = false
  for (const lexeme of new Lexer().lex(text)) {
    const type: ReturnType<typeof CST.tokenType> = isContent ? null : CST.tokenType(lexeme)
    isContent = type === 'scalar'
    // These three are marks of the lexer, not text of the file.
    if (type === 'scalar' || type === 'doc-mode' || type === 'flow-error-end') continue
    const refused = REFUSED[type ?? '']
    if (refused !== undefined) report.error(spot(offset, offset + lexeme.length), ...refused)
    offset += lexeme.length
  }
}

function convert(node: ParsedNode | null, spot: ToSpot, report: Report): YamlNode {
  const [from, to] = node?.range ?? [0, 1]
  const at = spot(from, to)
  if (isSeq(node)) {
    const items = node.items.map((item) => convert(item as ParsedNode, spot, report))
    return { node: 'list', at, items }
  }
  if (!isMap(node)) return convertScalar(node, at, report)
  const entries = new Map<string, YamlEntry>()
  for (const { key, value } of node.items) {
    const name = convert(key as ParsedNode, spot, report)
    const item = value === null ? emptyAt(name.at) : convert(value as ParsedNode, spot, report)
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

function emptyAt(at: Spot): YamlScalar {
  return { node: 'scalar', at, value: null, text: '', isQuoted: false }
}

/** An alias counts as empty here: it was refused before. */
function convertScalar(node: ParsedNode | null, at: Spot, report: Report): YamlScalar {
  if (!isScalar(node)) return emptyAt(at)
  const value: unknown = node.value
  const text = node.source ?? String(value)
  const scalar = { node: 'scalar', at, isQuoted: false } as const
  if (typeof value === 'bigint' || typeof value === 'number') {
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) {
      report.error(at, `\`${text}\` is not a number as JSON writes it`, 'put it in quotes')
    } else if (typeof value === 'bigint' && !Number.isSafeInteger(Number(value))) {
      const message = 'a bare integer this large loses digits in other programs'
      report.error(at, message, `put it in quotes: "${text}"`)
    }
    return { ...scalar, value: Number(value), text }
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) report.error(at, 'the text holds half a surrogate pair', 'remove it')
    return { ...scalar, value, text: value, isQuoted: /^QUOTE/.test(node.type ?? '') }
  }
  return { ...scalar, value: typeof value === 'boolean' ? value : null, text }
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

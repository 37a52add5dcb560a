/** Compares what left with what a policy test expects, exactly or by form. Pure. @module */
import type { Spot } from '../../base/diagnostic.ts'
import { describe } from '../../base/shape.ts'
import { readJson } from '../../base/json-node.ts'
import type { YamlMap, YamlNode, YamlScalar } from '../../base/yaml.ts'
import { isFormatToken } from '../token/format.ts'
import { pseudonymKind, tokenKind } from '../token/text.ts'
import { SHOWN_CHARACTERS_MAX } from './limits.ts'
import { formatPath } from './path.ts'
import type { Path } from './policy.ts'

/** Tells one difference; `at` is the expectation's line in the policy file. */
export type TellDifference = (at: Spot, message: string) => void

/** What a form matcher accepts; each stands alone in a map: `{ token: mobile }`. */
type Matcher = (actual: YamlNode, wanted: YamlNode) => boolean
const MATCHERS: ReadonlyMap<string, Matcher> = new Map<string, Matcher>([
  ['token', (actual, wanted) => isTokenOf(textOf(wanted), textOf(actual))],
  ['pseudonym', (actual, wanted) => pseudonymKind(textOf(actual)) === textOf(wanted)],
  [
    'masked',
    (actual, wanted) => textOf(actual) === textOf(wanted) && /[*＊•]/.test(textOf(actual)),
  ],
  ['any', (actual, wanted) => typeName(actual) === textOf(wanted)],
])

/** A body that left: as it reads, and what stands in it. */
export interface Left {
  readonly text: string
  readonly tree: YamlNode
  /** Whether it is JSON, so that an expected text is a JSON string. */
  readonly isJson: boolean
}

/** Compares what left; keys may come in any order, numbers by their spelling, other texts as they are. */
export function compareBody(expected: YamlNode, left: Left, tell: TellDifference): void {
  const isText = expected.node === 'scalar' && typeof expected.value === 'string'
  if (left.isJson || !isText) compare(expected, left.tree, [], tell)
  else if (expected.text.replaceAll(/\r?\n/g, '\n') !== left.text.replaceAll(/\r?\n/g, '\n'))
    tell(expected.at, `the body should be ${show(expected)} and is another text`)
}

/** Compares JSON text with the expectation. */
export function compareJson(expected: YamlNode, json: string, tell: TellDifference): void {
  compareBody(expected, { text: json, tree: readJson(json), isJson: true }, tell)
}

/** All texts in a body, keys included, decoded; what `never` searches beside the raw bytes. */
export function textsOf(root: YamlNode): readonly string[] {
  const texts: string[] = []
  const collect = (node: YamlNode): void => {
    if (node.node === 'scalar') texts.push(node.text)
    else if (node.node === 'list') node.items.forEach(collect)
    else {
      for (const [name, { value }] of node.entries) {
        texts.push(name)
        collect(value)
      }
    }
  }
  collect(root)
  return texts
}

function isTokenOf(kind: string, text: string): boolean {
  return tokenKind(text) === kind || isFormatToken(kind, text)
}

function compare(expected: YamlNode, actual: YamlNode, path: Path, tell: TellDifference): void {
  const [form, wanted] = expected.node === 'map' ? formOf(expected) : NO_FORM
  const matcher = MATCHERS.get(form)
  if (wanted === undefined || (matcher === undefined && form !== 'exactly')) {
    compareExactly(expected, actual, path, tell)
  } else if (matcher === undefined) {
    compareExactly(wanted, actual, path, tell)
  } else if (!matcher(actual, wanted)) {
    const place = formatPath(path)
    tell(expected.at, `${place} should be { ${form}: ${textOf(wanted)} } and is ${show(actual)}`)
  }
}

function compareExactly(expected: YamlNode, actual: YamlNode, path: Path, tell: TellDifference) {
  const place = formatPath(path)
  if (expected.node === 'map' && actual.node === 'map')
    return compareMaps(expected, actual, path, tell)
  if (expected.node === 'list' && actual.node === 'list') {
    for (let index = 0; index < Math.max(expected.items.length, actual.items.length); index++) {
      const [want, got] = [expected.items[index], actual.items[index]]
      const here: Path = [...path, { step: 'index', index }]
      if (want === undefined) tell(expected.at, `${formatPath(here)} should not be there`)
      else if (got === undefined) tell(want.at, `${formatPath(here)} is missing`)
      else compare(want, got, here, tell)
    }
    return
  }
  if (expected.node === 'scalar' && actual.node === 'scalar' && isSame(expected, actual)) return
  tell(expected.at, `${place} should be ${show(expected)} and is ${show(actual)}`)
}

function compareMaps(expected: YamlMap, actual: YamlMap, path: Path, tell: TellDifference): void {
  for (const [name, { key, value }] of expected.entries) {
    const here: Path = [...path, { step: 'name', name }]
    const got = actual.entries.get(name)
    if (got === undefined) tell(key.at, `${formatPath(here)} is missing`)
    else compare(value, got.value, here, tell)
  }
  for (const name of actual.entries.keys()) {
    if (expected.entries.has(name)) continue
    tell(expected.at, `${formatPath([...path, { step: 'name', name }])} should not be there`)
  }
}

const NO_FORM = ['', undefined] as const

function formOf(map: YamlMap): readonly [form: string, wanted: YamlNode | undefined] {
  const [entry, ...others] = map.entries
  return entry === undefined || others.length > 0 ? NO_FORM : [entry[0], entry[1].value]
}

function isSame(a: YamlScalar, b: YamlScalar): boolean {
  if (typeof a.value === 'number' || typeof b.value === 'number') {
    return typeof a.value === typeof b.value && a.text === b.text
  }
  return a.value === b.value
}

function textOf(node: YamlNode): string {
  return node.node === 'scalar' && typeof node.value === 'string' ? node.value : ''
}

function typeName(node: YamlNode): string {
  if (node.node !== 'scalar') return node.node
  if (node.value === null) return 'null'
  return typeof node.value === 'string' ? 'text' : typeof node.value
}

function show(node: YamlNode): string {
  const text = textOf(node)
  const kind = tokenKind(text) ?? pseudonymKind(text)
  if (kind !== undefined) return `a token of \`${kind}\``
  return text === '' || text.length > SHOWN_CHARACTERS_MAX ? describe(node) : `"${text}"`
}

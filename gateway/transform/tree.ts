/** What stands in a body, as a tree: for the officer's tools, never on the way of a message. @module */
import type { Spot } from '../../base/diagnostic.ts'
import { requireUtf8 } from '../../base/utf8.ts'
import type { ScalarType } from '../../base/json-token.ts'
import type { YamlEntry, YamlNode, YamlScalar } from '../../base/yaml.ts'
import { startTranscoder } from './charset.ts'
import type { BodySink } from './codec/codec.ts'
import { type BodyFormat, formatType } from './format.ts'
import { compileMatcher, type Matcher } from './matcher.ts'
import { KEEP } from './change.ts'
import type { Program, Spelling } from './program.ts'
import { makeSource, type Source } from './source.ts'

/** Reads a body. A name that repeats, as elements of XML may, holds the list of its values. */
export function readTree(body: Uint8Array, format: BodyFormat): YamlNode {
  const bytes = startTranscoder(format.charset).decode(body, true)
  const codec = formatType(format).open(format, KEEP_ALL, 'body-malformed')
  if (codec.isText) requireUtf8(bytes, 0)
  const builder = startTree(makeSource(bytes), codec.spelling)
  const reader = codec.read(builder.sink, false)
  let at = 0
  do at = reader.advance(bytes, true, at, bytes.length)
  while (reader.paused)
  return builder.root()
}

/** Keeps everything: nothing is left out of what a codec reports. */
const KEEP_ALL: Program = {
  matcher: compileMatcher([[{ step: 'wildcard' }]], [], () => undefined) as Matcher,
  rules: [
    {
      text: '$.*',
      verb: 'keep',
      transform: () => KEEP,
      to: undefined,
      entry: { rule: '', path: '', action: '' },
    },
  ],
  captures: [],
  unnamed: 'drop',
  names: new Set(),
  claims: undefined,
}

/** An open container. */
interface Branch {
  readonly name: string
  readonly members: Map<string, YamlNode[]>
  readonly items: YamlNode[]
}

function startTree(source: Source, spelling: Spelling) {
  const open: Branch[] = [newBranch('')]
  let name = ''
  const put = (node: YamlNode, as: string): void => {
    const branch = open.at(-1)
    branch?.items.push(node)
    const same = branch?.members.get(as)
    if (same === undefined) branch?.members.set(as, [node])
    else same.push(node)
  }
  const arrays: boolean[] = []
  const sink: BodySink = {
    member: (_lead, _hash, start, end, text) => {
      name = text ?? spelling.readName(source, start, end)
    },
    column: (start) => {
      name = spelling.readName(source, start, start)
    },
    element: () => {
      name = ''
    },
    scalar: (type, start, end) =>
      put(scalarNode(type, spelling.readScalar(source, type, start, end)), name),
    open: (isArray) => {
      open.push(newBranch(name))
      arrays.push(isArray)
      return true
    },
    close: () => {
      const branch = open.pop()
      if (branch !== undefined) put(nodeOf(branch, arrays.pop() === true), branch.name)
    },
    literal: () => {},
    insert: () => {},
    skip: () => {},
    omit: () => {},
    part: () => {}, // Only a stream comes in parts.
  }
  return { sink, root: () => open[0]?.items[0] ?? scalarNode('null', '') }
}

function newBranch(name: string): Branch {
  return { name, members: new Map(), items: [] }
}

const NOWHERE: Spot = { file: '', line: 1, column: 1 }

function nodeOf({ members, items }: Branch, isArray: boolean): YamlNode {
  if (isArray) return { node: 'list', at: NOWHERE, items }
  const entries = [...members].map(([name, nodes]): [string, YamlEntry] => {
    const [first] = nodes
    const value: YamlNode =
      first !== undefined && nodes.length === 1
        ? first
        : { node: 'list', at: NOWHERE, items: nodes }
    return [name, { key: scalarNode('string', name), value }]
  })
  return { node: 'map', at: NOWHERE, entries: new Map(entries) }
}

function scalarNode(type: ScalarType, text: string): YamlScalar {
  const value = type === 'string' ? text : (JSON.parse(text || 'null') as YamlScalar['value'])
  return { node: 'scalar', at: NOWHERE, value, text, isQuoted: false }
}

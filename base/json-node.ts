/** JSON text in the shape of YAML nodes: two documents compare alike, and numbers keep their spelling. @module */
import type { Spot } from './diagnostic.ts'
import type { YamlNode, YamlScalar } from './yaml.ts'

const NOWHERE: Spot = { file: '', line: 1, column: 1 }

/** Reads JSON that was checked before; the nodes have no positions. @throws {SyntaxError} */
export function readJson(json: string): YamlNode {
  const revive = (
    _key: string,
    value: unknown,
    context?: { readonly source?: string },
  ): YamlNode => {
    // The reviver goes bottom up: members are nodes already.
    if (Array.isArray(value)) return { node: 'list', at: NOWHERE, items: value as YamlNode[] }
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value as Record<string, YamlNode>)
      const entries = members.map(
        ([name, node]) => [name, { key: scalar(name, name), value: node }] as const,
      )
      return { node: 'map', at: NOWHERE, entries: new Map(entries) }
    }
    const plain = value as YamlScalar['value']
    return scalar(plain, typeof plain === 'string' ? plain : (context?.source ?? String(plain)))
  }
  return JSON.parse(json, revive) as YamlNode
}

function scalar(value: YamlScalar['value'], text: string): YamlScalar {
  return { node: 'scalar', at: NOWHERE, value, text, isQuoted: false }
}

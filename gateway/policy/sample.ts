/** The bytes of a policy test's sample. Pure. @module */
import { toJsonText, type YamlMap, type YamlNode } from '../../base/yaml.ts'

/** Makes a token that stands for a value of a kind. */
export type Mint = (kind: string, value: string) => string

/** The bytes of a sample. `{ token: mobile, of: "138…" }` becomes a token that stands for the value. */
export function sampleBody(node: YamlNode, mintToken: Mint): string {
  if (node.node === 'scalar' && typeof node.value === 'string') return node.value
  return toJsonText(withTokens(node, mintToken))
}

function withTokens(node: YamlNode, mintToken: Mint): YamlNode {
  if (node.node === 'scalar') return node
  if (node.node === 'list') {
    return { ...node, items: node.items.map((item) => withTokens(item, mintToken)) }
  }
  const token = tokenOf(node)
  if (token !== undefined) {
    const value = mintToken(...token)
    return { node: 'scalar', at: node.at, value, text: value, isQuoted: true }
  }
  const entries = [...node.entries].map(
    ([name, entry]) => [name, { ...entry, value: withTokens(entry.value, mintToken) }] as const,
  )
  return { ...node, entries: new Map(entries) }
}

function tokenOf({ entries }: YamlMap): readonly [kind: string, value: string] | undefined {
  const kind = entries.get('token')?.value
  const value = entries.get('of')?.value
  if (entries.size !== 2 || kind?.node !== 'scalar' || value?.node !== 'scalar') return undefined
  return [kind.text, value.text]
}

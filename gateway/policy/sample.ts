/** The bytes of a policy test's sample. Pure. @module */
import { startTranscoder } from '../transform/charset.ts'
import { type BodyFormat, contentTypeOf, readFormat } from '../transform/format.ts'
import type { BodyDialect } from './body.ts'
import { toJsonText, type YamlMap, type YamlNode } from '../../base/yaml.ts'

/** A sample as it is sent. */
export interface SampleMessage {
  readonly body: Buffer
  readonly contentType: string
}

/** A sample in the format that the policy's bodies have. */
export function sampleMessage(
  node: YamlNode,
  dialect: BodyDialect | undefined,
  mintToken: Mint,
): SampleMessage {
  const text = sampleBody(node, mintToken)
  const charset = dialect?.charset ?? 'utf-8'
  const contentType = contentTypeOf(dialect)
  if (dialect?.format !== 'multipart')
    return { body: startTranscoder(charset).encode(Buffer.from(text)), contentType }
  // A file of YAML has no carriage returns; RFC 2046 §4.1.1 wants them.
  const body = Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'))
  return { body, contentType: withBoundary(contentType, body) }
}

/** The format of a body that comes without a Content-Type. */
export function sampleFormat(body: Uint8Array, dialect: BodyDialect | undefined): BodyFormat {
  const contentType = contentTypeOf(dialect)
  const isParted = dialect?.format === 'multipart'
  return readFormat(isParted ? withBoundary(contentType, body) : contentType, dialect)
}

function withBoundary(contentType: string, body: Uint8Array): string {
  const [, boundary = 'none'] = /^--(\S+)/.exec(Buffer.from(body).toString('latin1')) ?? []
  return `${contentType}; boundary=${boundary}`
}

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

/** Names of XML as paths write them: with the policy's prefixes, whatever those of the document are. @module */
import { malformed } from '../../../base/json-token.ts'
import { Problem } from '../../../base/problem.ts'
import type { Attribute } from './xml-token.ts'

/** Prefixes that are in force in an element: prefix → namespace. */
export type Scope = ReadonlyMap<string, string>

/** The names of one document. */
export interface XmlNames {
  /** The scope inside of a start tag. @throws {Problem} for a namespace that the policy does not name. */
  enter(scope: Scope, attributes: readonly Attribute[], bytes: Buffer, offset: number): Scope
  /** What a path calls an element. */
  element(scope: Scope, name: string, at: number): string
  /** What a path calls an attribute: its name behind an `@`. */
  attribute(scope: Scope, name: string, at: number): string
}

/** `xml:` is always in force (Namespaces in XML 1.0 §3). */
const XML = 'http://www.w3.org/XML/1998/namespace'
/** The scope around a document. */
export const OUTERMOST: Scope = new Map([['xml', XML]])

/** @param namespaces the policy's: prefix → namespace, '' for names without a prefix. */
export function createXmlNames(namespaces: ReadonlyMap<string, string> = new Map()): XmlNames {
  const prefixes = new Map([
    [XML, 'xml'],
    ...[...namespaces].map(([p, uri]): [string, string] => [uri, p]),
  ])
  const write = (uri: string, local: string): string => {
    // Where the policy has a namespace for names without a prefix, names without a namespace are others.
    if (uri === '') return namespaces.has('') ? `{}${local}` : local
    const prefix = prefixes.get(uri) ?? ''
    return prefix === '' ? local : `${prefix}:${local}`
  }
  return {
    enter(scope, attributes, bytes, offset) {
      const declared = attributes.filter(isDeclaration)
      if (declared.length === 0) return scope
      const inner = new Map(scope)
      for (const { name, valueStart, valueEnd, nameStart } of declared) {
        const uri = bytes.toString('utf8', valueStart + 1, valueEnd - 1)
        if (!prefixes.has(uri) && !(uri === '' && name === 'xmlns')) {
          const detail = `the namespace at byte ${offset + nameStart} is not in the policy's \`namespaces\``
          throw new Problem('policy-refused', detail)
        }
        if (name === 'xmlns:xml' || name === 'xmlns:xmlns')
          throw malformed(offset + nameStart, 'this prefix cannot be declared')
        inner.set(name === 'xmlns' ? '' : name.slice('xmlns:'.length), uri)
      }
      return inner
    },
    element: (scope, name, at) => {
      const [prefix, local] = cut(name)
      return write(resolve(scope, prefix, at), local)
    },
    attribute: (scope, name, at) => {
      const [prefix, local] = cut(name)
      // An attribute without a prefix is in no namespace (Namespaces in XML 1.0 §6.2).
      return prefix === '' ? `@${local}` : `@${write(resolve(scope, prefix, at), local)}`
    },
  }
}

/** Whether an attribute declares a namespace. */
export function isDeclaration({ name }: Attribute): boolean {
  return name === 'xmlns' || name.startsWith('xmlns:')
}

function resolve(scope: Scope, prefix: string, at: number): string {
  const uri = scope.get(prefix)
  if (uri === undefined && prefix !== '') throw malformed(at, 'the prefix is not declared')
  return uri ?? ''
}

function cut(name: string): readonly [prefix: string, local: string] {
  const colon = name.indexOf(':')
  return colon < 0 ? ['', name] : [name.slice(0, colon), name.slice(colon + 1)]
}

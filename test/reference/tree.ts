/** A JSON value that keeps the spelling of its names and scalars. @module */

export type Tree =
  | { readonly source: string }
  | { readonly array: readonly Tree[] }
  | { readonly object: readonly Member[] }
export interface Member {
  readonly name: string
  readonly spelling: string
  readonly value: Tree
}
/** Names and indexes from the root. */
export type Place = readonly (string | number)[]

/** The JSON text of a tree. */
export function write(tree: Tree): string {
  if ('source' in tree) return tree.source
  if ('array' in tree) return `[${tree.array.map(write).join()}]`
  return `{${tree.object.map(({ spelling, value }) => `${spelling}:${write(value)}`).join()}}`
}

/** The path of a place whose names need no quotes. */
export function show(at: Place): string {
  return `$${at.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('')}`
}

/** The values inside a tree, with their keys. */
export function childrenOf(tree: Tree): { key: string | number; spelling: string; value: Tree }[] {
  if ('source' in tree) return []
  if ('object' in tree) return tree.object.map(({ name, ...rest }) => ({ key: name, ...rest }))
  return tree.array.map((value, key) => ({ key, spelling: '', value }))
}

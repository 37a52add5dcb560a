/**
 * Compiles the paths of one direction into a deterministic automaton: one step per name or index of
 * a body, whatever the number of rules. @module
 */
import { HASH_FACTOR, HASH_START } from '../../base/json-token.ts'
import type { Path, Segment } from '../policy/policy.ts'
import { STATES_MAX } from './limits.ts'
import { writeStep } from './step.ts'

/** The state that nothing can follow from. */
export const NOWHERE = 0
/** The state of the body itself. */
export const ROOT = 1

/** Tables by state; a step is `next[state * width + symbol]`, where symbol 0 is any other name. */
export interface Matcher {
  readonly names: NameTable
  readonly memberWidth: number
  readonly memberNext: Int32Array
  /** 1 where a rule spells this name out at this state, so that the name itself is no secret. */
  readonly spelled: Uint8Array
  readonly indexes: ReadonlyMap<number, number>
  readonly elementWidth: number
  readonly elementNext: Int32Array
  /** The most specific rule that selects the value at this state, -1 for none. */
  readonly rule: Int32Array
  /** The capture that selects it, -1 for none. */
  readonly capture: Int32Array
  /** 1 where a rule can select something deeper. */
  readonly reaches: Uint8Array
  /** 1 where a rule or a capture can. */
  readonly deeper: Uint8Array
}

/** Hash slots to symbols, so that a name is looked up from its bytes alone. */
export interface NameTable {
  readonly mask: number
  /** Symbol at each slot, 0 for a free one. */
  readonly slots: Int32Array
  /** By symbol. */
  readonly bytes: readonly Buffer[]
  /** The step to it as claims write it, by symbol. */
  readonly steps: readonly string[]
  /** By name, for codecs that decode names anyway. */
  readonly symbols: ReadonlyMap<string, number>
}

/** Two paths that may select the same value with equal right. */
export type Ambiguity = (first: number, second: number) => void

/** One item of the set that a state stands for: `paths[path]` matched up to `position`. */
interface Item {
  readonly path: number
  readonly position: number
}

/**
 * Builds the automaton of `rules` and `captures`.
 *
 * @param ambiguous told of each pair of rules that no specificity separates.
 * @returns undefined when it would need over STATES_MAX states.
 */
export function compileMatcher(
  rules: readonly Path[],
  captures: readonly Path[],
  ambiguous: Ambiguity,
): Matcher | undefined {
  const paths = [...rules, ...captures]
  const steps = paths.flat().map(stepOf)
  const names = numbered(steps.flatMap((step) => (step.step === 'name' ? [step.name] : [])))
  const indexes = numbered(steps.flatMap((step) => (step.step === 'index' ? [step.index] : [])))
  const start = paths.map((_, path): Item => ({ path, position: 0 }))
  const states: Item[][] = [[], start]
  const keys = new Map([
    [keyOf(start), ROOT],
    ['', NOWHERE],
  ])
  const intern = (items: Item[]): number => {
    const key = keyOf(items)
    const known = keys.get(key)
    if (known !== undefined) return known
    keys.set(key, states.length)
    return states.push(items) - 1
  }
  const members: Int32Array[] = []
  const spelled: Uint8Array[] = []
  const elements: Int32Array[] = []
  // `states` grows while it is walked.
  for (const items of states) {
    const next = items.flatMap((item) => stepAt(paths, item) ?? [])
    const nextNames = next.flatMap((step) => (step.step === 'name' ? [step.name] : []))
    const nextIndexes = next.flatMap((step) => (step.step === 'index' ? [step.index] : []))
    const byName = (name?: string) => intern(stepItems(paths, items, { member: true, name }))
    const byIndex = (index?: number) => intern(stepItems(paths, items, { member: false, index }))
    members.push(makeRow(names, nextNames, byName))
    elements.push(makeRow(indexes, nextIndexes, byIndex))
    spelled.push(spelledRow(names, rules, items))
    if (states.length > STATES_MAX) return undefined
  }
  const reported = new Set<string>()
  const report: Ambiguity = (first, second) => {
    const pair = `${first}.${second}`
    if (!reported.has(pair)) ambiguous(first, second)
    reported.add(pair)
  }
  const selected = states.map((items) => items.filter((i) => i.position === paths[i.path]?.length))
  return {
    names: compileNames([...names.keys()]),
    memberWidth: names.size + 1,
    memberNext: joinRows(members, new Int32Array(states.length * (names.size + 1))),
    spelled: joinRows(spelled, new Uint8Array(states.length * (names.size + 1))),
    indexes,
    elementWidth: indexes.size + 1,
    elementNext: joinRows(elements, new Int32Array(states.length * (indexes.size + 1))),
    rule: Int32Array.from(selected, (items) =>
      mostSpecific(
        rules,
        items.map((i) => i.path).filter((p) => p < rules.length),
        report,
      ),
    ),
    capture: Int32Array.from(selected, (items) =>
      Math.max(-1, ...items.map((i) => i.path - rules.length)),
    ),
    reaches: Uint8Array.from(states, (items) =>
      items.some((i) => i.path < rules.length && isUnderWay(paths, i)) ? 1 : 0,
    ),
    deeper: Uint8Array.from(states, (items) => (items.some((i) => isUnderWay(paths, i)) ? 1 : 0)),
  }
}

function isUnderWay(paths: readonly Path[], { path, position }: Item): boolean {
  return position < (paths[path]?.length ?? 0)
}

/** Symbols from 1 on; 0 is anything else. */
function numbered<Key>(keys: readonly Key[]): ReadonlyMap<Key, number> {
  return new Map([...new Set(keys)].map((key, at) => [key, at + 1]))
}

/** @param next the keys that lead somewhere from here; all others lead where an unknown one does. */
function makeRow<Key>(
  symbols: ReadonlyMap<Key, number>,
  next: readonly Key[],
  target: (key?: Key) => number,
): Int32Array {
  const row = new Int32Array(symbols.size + 1).fill(target())
  for (const key of new Set(next)) row[symbols.get(key) ?? 0] = target(key)
  return row
}

function joinRows<Table extends Int32Array | Uint8Array>(
  rows: readonly Table[],
  table: Table,
): Table {
  for (const [at, row] of rows.entries()) table.set(row, at * row.length)
  return table
}

function stepOf(segment: Segment): Segment {
  return segment.step === 'descendant' ? segment.of : segment
}

/** The step that the item waits for, if it is not at its path's end. */
function stepAt(paths: readonly Path[], { path, position }: Item): Segment | undefined {
  const segment = paths[path]?.[position]
  return segment && stepOf(segment)
}

function keyOf(items: readonly Item[]): string {
  return items.map(({ path, position }) => `${path}.${position}`).join()
}

type Step =
  | { readonly member: true; readonly name: string | undefined }
  | { readonly member: false; readonly index: number | undefined }

function stepItems(paths: readonly Path[], items: readonly Item[], step: Step): Item[] {
  const next = new Map<string, Item>()
  const add = (path: number, position: number) =>
    next.set(`${path}.${position}`, { path, position })
  for (const { path, position } of items) {
    const segment = paths[path]?.[position]
    if (segment === undefined) continue
    // RFC 9535 §2.5.2: the descendant segment also stays where it is, at any depth.
    if (segment.step === 'descendant') add(path, position)
    if (takes(stepOf(segment), step)) add(path, position + 1)
  }
  return [...next.values()].sort((a, b) => a.path - b.path || a.position - b.position)
}

function takes(segment: Segment, step: Step): boolean {
  if (segment.step === 'wildcard') return true
  if (step.member) return segment.step === 'name' && segment.name === step.name
  return segment.step === 'index' && segment.index === step.index
}

function spelledRow(
  names: ReadonlyMap<string, number>,
  rules: readonly Path[],
  items: readonly Item[],
): Uint8Array {
  const row = new Uint8Array(names.size + 1)
  for (const item of items) {
    const step = stepAt(rules, item)
    if (step?.step === 'name') row[names.get(step.name) ?? 0] = 1
  }
  return row
}

function mostSpecific(rules: readonly Path[], candidates: number[], ambiguous: Ambiguity): number {
  const [best, second] = candidates.sort((a, b) =>
    compareSpecificity(rules[b] ?? [], rules[a] ?? []),
  )
  if (best === undefined) return -1
  if (second !== undefined && compareSpecificity(rules[best] ?? [], rules[second] ?? []) === 0) {
    ambiguous(best, second)
  }
  return best
}

/**
 * Compares two paths that select the same value, segment by segment: a name or index is more
 * specific than a wildcard, each of them than a descendant; then the longer path is.
 */
export function compareSpecificity(a: Path, b: Path): number {
  for (const [at, segment] of a.entries()) {
    const other = b[at]
    if (other === undefined) break
    const difference = rank(segment) - rank(other)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function rank(segment: Segment): number {
  if (segment.step === 'descendant') return segment.of.step === 'wildcard' ? 0 : 1
  return segment.step === 'wildcard' ? 2 : 3
}

function compileNames(names: readonly string[]): NameTable {
  const bytes = [Buffer.alloc(0), ...names.map((name) => Buffer.from(name))]
  let size = 8
  while (size < bytes.length * 4) size *= 2
  const mask = size - 1
  const slots = new Int32Array(size)
  for (const [symbol, name] of bytes.entries()) {
    if (symbol === 0) continue
    let slot = hashBytes(name, 0, name.length) & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = symbol
  }
  const symbols = new Map(names.map((name, index) => [name, index + 1]))
  return { mask, slots, bytes, symbols, steps: ['', ...names.map(writeStep)] }
}

/** The hash that `symbolOf` expects: `hashName` of the same bytes as text. */
export function hashBytes(bytes: Buffer, start: number, end: number): number {
  let hash = HASH_START
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), HASH_FACTOR)
  return hash
}

/** The symbol of the name that stands at a span, 0 when no path has it. */
export function symbolOf(
  table: NameTable,
  hash: number,
  bytes: Buffer,
  start: number,
  end: number,
): number {
  const { mask, slots } = table
  let slot = hash & mask
  for (;;) {
    const symbol = slots[slot] as number
    if (symbol === 0) return 0
    const name = table.bytes[symbol] as Buffer
    if (name.length === end - start) {
      let at = 0
      while (at < name.length && name[at] === bytes[start + at]) at++
      if (at === name.length) return symbol
    }
    slot = (slot + 1) & mask
  }
}

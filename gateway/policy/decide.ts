/**
 * Which rule decides a value, told from the rules alone: what the officer's tools print. The engine
 * compiles the same meaning into tables; a test holds the two together. Pure. @module
 */
import type { YamlNode } from '../../base/yaml.ts'
import { compareSpecificity } from '../transform/matcher.ts'
import type { Path, Rule, Segment } from './policy.ts'

/** Where a value stands in a body: member names and indexes from the root. */
export type Location = readonly (string | number)[]

/** What may decide a value: a rule at its path, or the place that a rule's `to` takes for itself. */
export interface Candidate {
  readonly path: Path
  readonly rule: Rule
  readonly isTarget: boolean
}

/** What is decided on the way down from the root. */
export interface Standing {
  /** Nothing while the value is unnamed. */
  readonly rule: Rule | undefined
  /** Nothing deeper can change it: the container is dropped, or changed as one value. */
  readonly isFinal: boolean
}

/** Before any rule was met. */
export const UNNAMED: Standing = { rule: undefined, isFinal: false }

/** What decides a value; `through` is how much of its location the deciding rule selects. */
export interface Decision {
  readonly rule: Rule
  readonly through: number
}

/** Decides the value at a location; nothing when it is unnamed. */
export function decide(fields: readonly Rule[], location: Location): Decision | undefined {
  const candidates = candidatesOf(fields)
  let standing = UNNAMED
  let through = 0
  for (let length = 1; length <= location.length; length++) {
    const around = location.slice(0, length)
    const winner = mostSpecific(candidates.filter(({ path }) => selects(path, around)))
    const next = descend(standing, winner)
    if (next !== standing) through = length
    standing = next
  }
  return standing.rule && { rule: standing.rule, through }
}

/** The rules and the places of their results. */
export function candidatesOf(fields: readonly Rule[]): readonly Candidate[] {
  return fields.flatMap((rule) => [
    { path: rule.path, rule, isTarget: false },
    ...(rule.to === undefined ? [] : [{ path: rule.to, rule, isTarget: true }]),
  ])
}

/** What stands one step deeper, where `winner` is selected. */
export function descend(standing: Standing, winner: Candidate | undefined): Standing {
  if (standing.isFinal || winner === undefined) return standing
  // The body's own value may not stand where a rule writes its result.
  if (winner.isTarget) return { rule: undefined, isFinal: true }
  return { rule: winner.rule, isFinal: winner.rule.action.transform !== 'keep' }
}

/** The candidate that wins where several select one value. */
export function mostSpecific(candidates: readonly Candidate[]): Candidate | undefined {
  return candidates.toSorted((a, b) => compareSpecificity(b.path, a.path))[0]
}

/** Whether a path selects exactly the value at a location. */
function selects(path: Path, location: Location): boolean {
  const start: ReadonlySet<number> = new Set([0])
  return location
    .reduce((positions, step) => advance(path, positions, step), start)
    .has(path.length)
}

/** How far a path may have matched, one step further: the sets of an automaton over its segments. */
export function advance(
  path: Path,
  positions: ReadonlySet<number>,
  step: string | number,
): ReadonlySet<number> {
  const next = new Set<number>()
  for (const position of positions) {
    const segment = path[position]
    if (segment === undefined) continue
    // RFC 9535 §2.5.2: a descendant segment also stays where it is, at any depth.
    if (segment.step === 'descendant') next.add(position)
    const child = segment.step === 'descendant' ? segment.of : segment
    if (takes(child, step)) next.add(position + 1)
  }
  return next
}

function takes(segment: Segment, step: string | number): boolean {
  if (segment.step === 'wildcard') return true
  if (segment.step === 'index') return segment.index === step
  return segment.step === 'name' && segment.name === step
}

/** A name and an index that no rule can spell out: they stand for all others. */
export const OTHER_NAME = '\u0000'
/** The index that stands for all others, as OTHER_NAME does for names. */
export const OTHER_INDEX = -1

/** One location that stands for all that a path selects. */
export function representative(path: Path): Location {
  return path.flatMap((segment): Location => {
    if (segment.step === 'descendant') return [OTHER_NAME, ...representative([segment.of])]
    if (segment.step === 'wildcard') return [OTHER_INDEX]
    return [segment.step === 'name' ? segment.name : segment.index]
  })
}

/** Every value of a body that is no container, or an empty one, in order. */
export function leavesOf(node: YamlNode, location: Location = []): readonly Location[] {
  const children = childrenOf(node)
  if (children.length === 0) return [location]
  return children.flatMap(([step, child]) => leavesOf(child, [...location, step]))
}

function childrenOf(node: YamlNode): readonly (readonly [string | number, YamlNode])[] {
  if (node.node === 'list') return node.items.map((item, index) => [index, item] as const)
  if (node.node === 'scalar') return []
  return [...node.entries].map(([name, { value }]) => [name, value] as const)
}

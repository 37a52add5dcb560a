/**
 * All the ways in which two sets of rules can decide one value differently, each with a value's
 * place as witness. Exact: it walks the joint automaton of all paths. Pure. @module
 */
import {
  advance,
  type Candidate,
  candidatesOf,
  descend,
  type Location,
  mostSpecific,
  OTHER_INDEX,
  OTHER_NAME,
  type Standing,
  UNNAMED,
} from './decide.ts'
import type { Path, Rule } from './policy.ts'

/** A place, and what decides there before and after; nothing decides an unnamed value. */
export interface Witness {
  /** A shortest place of its sort; a wildcard stands for a name or index that no rule spells out. */
  readonly place: Path
  readonly before: Rule | undefined
  readonly after: Rule | undefined
}

/** Joint states beyond which two versions are not compared. */
const JOINT_STATES_MAX = 20_000

interface State {
  readonly place: Location
  /** For each candidate of both sides, how far its path may have matched. */
  readonly positions: readonly ReadonlySet<number>[]
  readonly before: Standing
  readonly after: Standing
}

interface Sides {
  readonly before: readonly Candidate[]
  readonly after: readonly Candidate[]
}

/** One witness for each pair of deciding rules; undefined when there are too many states to walk. */
export function findWitnesses(
  before: readonly Rule[],
  after: readonly Rule[],
): readonly Witness[] | undefined {
  const sides: Sides = { before: candidatesOf(before), after: candidatesOf(after) }
  const symbols = alphabetOf([...sides.before, ...sides.after])
  const positions = [...sides.before, ...sides.after].map(() => new Set([0]))
  const states: State[] = [{ place: [], positions, before: UNNAMED, after: UNNAMED }]
  const seen = new Set<string>()
  const witnesses = new Map<string, Witness>()
  // `states` grows while it is walked, breadth first.
  for (const state of states) {
    for (const symbol of symbols) {
      const next = stepFrom(state, symbol, sides)
      const pair = [next.before, next.after].map(({ rule }) => rule?.text ?? '').join('\n')
      const finals = `${next.before.isFinal} ${next.after.isFinal}`
      const key = [pair, finals, ...next.positions.map((set) => [...set].join('.'))].join('\n')
      if (seen.has(key)) continue
      seen.add(key)
      if (!witnesses.has(pair)) {
        const rules = { before: next.before.rule, after: next.after.rule }
        witnesses.set(pair, { place: placeOf(next.place), ...rules })
      }
      // Where no path can match further, everything deeper is decided as here.
      if (next.positions.some((set) => set.size > 0)) states.push(next)
    }
    if (states.length > JOINT_STATES_MAX) return undefined
  }
  return [...witnesses.values()]
}

function stepFrom(state: State, symbol: string | number, sides: Sides): State {
  const candidates = [...sides.before, ...sides.after]
  const positions = candidates.map(({ path }, at) =>
    advance(path, state.positions[at] ?? new Set(), symbol),
  )
  const winner = (from: number, to: number) =>
    mostSpecific(
      candidates.slice(from, to).filter(({ path }, at) => positions[from + at]?.has(path.length)),
    )
  const middle = sides.before.length
  return {
    place: [...state.place, symbol],
    positions,
    before: descend(state.before, winner(0, middle)),
    after: descend(state.after, winner(middle, candidates.length)),
  }
}

function alphabetOf(candidates: readonly Candidate[]): readonly (string | number)[] {
  const steps = candidates
    .flatMap(({ path }) => path)
    .map((segment) => (segment.step === 'descendant' ? segment.of : segment))
  const spelled = steps.flatMap((step): (string | number)[] =>
    step.step === 'name' ? [step.name] : step.step === 'index' ? [step.index] : [],
  )
  return [...new Set([OTHER_INDEX, OTHER_NAME, ...spelled])]
}

function placeOf(location: Location): Path {
  return location.map((step) => {
    if (step === OTHER_NAME || step === OTHER_INDEX) return { step: 'wildcard' }
    return typeof step === 'number' ? { step: 'index', index: step } : { step: 'name', name: step }
  })
}

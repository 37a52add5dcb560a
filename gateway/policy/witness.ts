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
import { JOINT_STATES_MAX } from './limits.ts'
import type { Path, Rule } from './policy.ts'

/** A place, and what decides there before and after; nothing decides an unnamed value. */
export interface Witness {
  /** A shortest place of its sort; a wildcard stands for a name or index that no rule spells out. */
  readonly place: Path
  readonly before: Rule | undefined
  readonly after: Rule | undefined
}

interface State {
  readonly place: Location
  readonly live: readonly Live[]
  readonly before: Standing
  readonly after: Standing
}

/** A candidate that may still match, and how far it may have matched. */
interface Live {
  readonly candidate: Candidate
  readonly side: 'before' | 'after'
  /** Distinguishes the candidates of both sides. */
  readonly id: number
  readonly positions: ReadonlySet<number>
}

/** One witness for each pair of deciding rules; undefined when there are too many states to walk. */
export function findWitnesses(
  before: readonly Rule[],
  after: readonly Rule[],
): readonly Witness[] | undefined {
  const live = [...startOf('before', before), ...startOf('after', after)].map((one, id): Live => ({
    ...one,
    id,
  }))
  const states: State[] = [{ place: [], live, before: UNNAMED, after: UNNAMED }]
  const seen = new Set<string>()
  const witnesses = new Map<string, Witness>()
  // `states` grows while it is walked, breadth first.
  for (const state of states) {
    for (const symbol of symbolsAt(state.live)) {
      const next = stepFrom(state, symbol)
      const pair = [next.before, next.after].map(({ rule }) => rule?.text ?? '').join('\n')
      const key = [pair, next.before.isFinal, next.after.isFinal, ...next.live.map(keyOf)].join(
        '\n',
      )
      if (seen.has(key)) continue
      seen.add(key)
      if (!witnesses.has(pair)) {
        const rules = { before: next.before.rule, after: next.after.rule }
        witnesses.set(pair, { place: placeOf(next.place), ...rules })
      }
      // Where no path can match further, everything deeper is decided as here.
      if (next.live.length > 0) states.push(next)
    }
    if (states.length > JOINT_STATES_MAX) return undefined
  }
  return [...witnesses.values()]
}

function startOf(side: Live['side'], rules: readonly Rule[]): readonly Omit<Live, 'id'>[] {
  return candidatesOf(rules).map((candidate) => ({ candidate, side, positions: new Set([0]) }))
}

function keyOf({ id, positions }: Live): string {
  return `${id}:${[...positions].join('.')}`
}

function stepFrom(state: State, symbol: string | number): State {
  const live = state.live
    .map((one) => ({ ...one, positions: advance(one.candidate.path, one.positions, symbol) }))
    .filter(({ positions }) => positions.size > 0)
  const winner = (side: Live['side']) =>
    mostSpecific(
      live
        .filter((one) => one.side === side && one.positions.has(one.candidate.path.length))
        .map(({ candidate }) => candidate),
    )
  return {
    place: [...state.place, symbol],
    live,
    before: descend(state.before, winner('before')),
    after: descend(state.after, winner('after')),
  }
}

/** The names and indexes that tell the live paths apart here, and those that stand for all others. */
function symbolsAt(live: readonly Live[]): readonly (string | number)[] {
  const steps = live
    .flatMap(({ candidate, positions }) => [...positions].map((at) => candidate.path[at]))
    .map((segment) => (segment?.step === 'descendant' ? segment.of : segment))
  const spelled = steps.flatMap((step): (string | number)[] => {
    if (step?.step === 'name') return [step.name]
    return step?.step === 'index' ? [step.index] : []
  })
  return [...new Set([OTHER_INDEX, OTHER_NAME, ...spelled])]
}

function placeOf(location: Location): Path {
  return location.map((step) => {
    if (step === OTHER_NAME || step === OTHER_INDEX) return { step: 'wildcard' }
    return typeof step === 'number' ? { step: 'index', index: step } : { step: 'name', name: step }
  })
}

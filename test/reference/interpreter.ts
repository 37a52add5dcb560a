/**
 * The language of `fields`, as slowly and plainly as it can be said: every rule is tried on every
 * value of a tree. The engine must agree with it. @module
 */
import type { Path, Rule, Segment } from '../../gateway/policy/policy.ts'
import { childrenOf, type Place, show, type Tree, write } from './tree.ts'

/** What the language says about one body; `kept` are the scalars that pass as they are. */
export interface Verdict {
  text: string
  counts: Record<string, number>
  unnamed: number
  claims: string[]
  kept: string[]
}

/** @throws {Error} with the slug of the problem that refuses the body. */
export function interpret(rules: readonly Rule[], unnamed: string, body: Tree): Verdict {
  const verdict: Verdict = { text: '', counts: {}, unnamed: 0, claims: [], kept: [] }
  const targets = rules.flatMap(({ to }) => (to === undefined ? [] : [{ path: to }]))
  const paths: { path: Path }[] = [...rules, ...targets]
  const decide = (at: Place) =>
    paths.filter(({ path }) => selects(path, at)).sort((a, b) => compare(b.path, a.path))[0]
  const claim = (at: Place, tree: Tree) => {
    verdict.claims.push(`f:${show(at)} ${write(tree)}`)
    return undefined
  }
  const leave = (at: Place, tree: Tree) => {
    if (unnamed === 'refuse') throw new Error('policy-refused')
    verdict.unnamed++
    return claim(at, tree)
  }
  /** What stays, if anything; `passes`: a rule let some of it pass; `name`: what `to` calls it. */
  type Stays = { text: string; passes: boolean; name?: string } | undefined
  function visit(tree: Tree, at: Place, inKept: boolean): Stays {
    const best = decide(at)
    const rule = rules.find((candidate) => candidate === best)
    if (best !== undefined && rule === undefined) return leave(at, tree)
    if (rule !== undefined) verdict.counts[rule.id] = (verdict.counts[rule.id] ?? 0) + 1
    const action = rule?.action.transform ?? (inKept ? 'keep' : 'none')
    const renamed = rule?.to === undefined ? {} : { name: JSON.stringify(nameOf(rule.to.at(-1))) }
    if (action === 'drop') return claim(at, tree)
    if ('source' in tree) {
      if (action === 'none') return leave(at, tree)
      if (action === 'keep') verdict.kept.push(tree.source)
      else claim(at, tree)
      return { text: apply(action, tree.source), passes: true, ...renamed }
    }
    if (action !== 'keep' && action !== 'none') throw new Error('policy-refused')
    const reached = paths.some(({ path }) => path.some((_, i) => leads(path, i, at)))
    if (action === 'none' && !reached && at.length > 0) return leave(at, tree)
    const items = childrenOf(tree).flatMap(({ key, spelling, value }) => {
      const stays = visit(value, [...at, key], action === 'keep')
      return stays === undefined ? [] : [{ spelling, ...stays }]
    })
    const passes = action === 'keep' || items.some((item) => item.passes)
    const key = at.at(-1)
    const isNamed = paths.some(({ path }) => spells(path, at.slice(0, -1), key))
    if (!passes && typeof key === 'string' && !isNamed) {
      return childrenOf(tree).length === 0 ? leave(at, tree) : undefined
    }
    if ('array' in tree) return { text: `[${items.map(({ text }) => text).join()}]`, passes }
    const members = items.map(({ name, spelling, text }) => `${name ?? spelling}:${text}`)
    return { text: `{${members.join()}}`, passes, ...renamed }
  }
  const whole = visit(body, [], false)
  if (whole === undefined) throw new Error('policy-refused')
  return { ...verdict, text: whole.text }
}

function apply(action: string, source: string): string {
  if (action === 'keep') return source
  const text = source.startsWith('"') ? (JSON.parse(source) as string) : source
  return action === 'constant' ? '0' : `"#${text.length}"`
}

const stepOf = (s: Segment | undefined) => (s?.step === 'descendant' ? s.of : s)
function nameOf(segment: Segment | undefined): string | undefined {
  const step = stepOf(segment)
  return step?.step === 'name' ? step.name : undefined
}

function selects([segment, ...rest]: Path, [key, ...keys]: Place): boolean {
  if (segment === undefined || key === undefined) return segment === key
  const step = stepOf(segment)
  const taken = step?.step === 'index' ? step.index === key : (nameOf(step) ?? key) === key
  const here = taken && selects(rest, keys)
  return here || (segment.step === 'descendant' && selects([segment, ...rest], keys))
}

/** Whether the path's first `i` segments lead here, or to above here when a descendant follows. */
const leads = (path: Path, i: number, at: Place) =>
  selects(path.slice(0, i), at) ||
  (path[i]?.step === 'descendant' && at.some((_, n) => selects(path.slice(0, i), at.slice(0, n))))
const spells = (path: Path, at: Place, key: unknown) =>
  path.some((segment, i) => key !== undefined && nameOf(segment) === key && leads(path, i, at))
const rank = (s: Segment) =>
  (s.step === 'descendant' ? 1 : 3) - (stepOf(s)?.step === 'wildcard' ? 1 : 0)
/** By rank from the left; `undefined` sorts before any. */
const compare = (a: Path, b: Path) => (a.map(rank).join('') < b.map(rank).join('') ? -1 : 1)

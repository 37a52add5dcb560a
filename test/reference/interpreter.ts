/**
 * The language of `fields`, as slowly and plainly as it can be said: every rule is tried on every
 * value of a tree. The engine must agree with it. @module
 */
import type { Path, Rule, Segment } from '../../gateway/policy/policy.ts'

/** A value with its source text; members keep their order and the spelling of their names. */
export type Tree =
  | { readonly source: string }
  | { readonly array: readonly Tree[] }
  | { readonly object: readonly Member[] }
export interface Member {
  readonly name: string
  readonly spelling: string
  readonly value: Tree
}

/** What the language says about one body. */
export interface Verdict {
  text: string
  counts: Record<string, number>
  unnamed: number
  claims: string[]
  /** Source texts of the values that pass as they are. */
  kept: string[]
}

type Place = readonly (string | number)[]
type Test = Pick<Rule, 'path'>

/** @throws {Error} with the slug of the problem that refuses the body. */
export function interpret(rules: readonly Rule[], unnamed: string, body: Tree): Verdict {
  const verdict: Verdict = { text: '', counts: {}, unnamed: 0, claims: [], kept: [] }
  const targets = rules.flatMap(({ to }) => (to === undefined ? [] : [{ path: to }]))
  const paths: Test[] = [...rules, ...targets]
  const claim = (at: Place, tree: Tree) => void verdict.claims.push(`f:${show(at)} ${write(tree)}`)
  const leave = (at: Place, tree: Tree) => {
    if (unnamed === 'refuse') throw new Error('policy-refused')
    verdict.unnamed++
    claim(at, tree)
  }
  /** The text that stays, or undefined; `passes` says whether a rule let something of it pass. */
  function visit(
    tree: Tree,
    at: Place,
    kept: boolean,
  ): { text: string; passes: boolean } | undefined {
    const best = paths.filter(({ path }) => selects(path, at)).sort(bySpecificity)[0]
    const rule = rules.find((candidate) => candidate === best)
    if (best !== undefined && rule === undefined) return void leave(at, tree)
    const action = rule?.action.transform ?? (kept ? 'keep' : 'none')
    if (rule !== undefined) verdict.counts[rule.id] = (verdict.counts[rule.id] ?? 0) + 1
    if (action === 'drop') return void claim(at, tree)
    if ('source' in tree) {
      if (action === 'none') return void leave(at, tree)
      if (action === 'keep') verdict.kept.push(tree.source)
      else claim(at, tree)
      if (action === 'keep') return { text: tree.source, passes: true }
      return { text: action === 'constant' ? '0' : `"#${lengthOf(tree.source)}"`, passes: true }
    }
    if (action === 'constant' || action === 'length') throw new Error('policy-refused')
    const reached =
      at.length === 0 || paths.some(({ path }) => path.some((_, i) => alive(path, i, at)))
    if (action === 'none' && !reached) return void leave(at, tree)
    const children = 'array' in tree ? tree.array : tree.object.map(({ value }) => value)
    const stays = children.map((child, i) => {
      const key = 'array' in tree ? i : (tree.object[i]?.name ?? '')
      return visit(child, [...at, key], action === 'keep')
    })
    const passes = action === 'keep' || stays.some((stay) => stay?.passes)
    const key = at.at(-1)
    if (
      !passes &&
      typeof key === 'string' &&
      !paths.some(({ path }) => spells(path, at.slice(0, -1), key))
    ) {
      return children.length === 0 ? void leave(at, tree) : undefined
    }
    const items = stays.flatMap((stay, i) => {
      if (stay === undefined) return []
      return 'array' in tree ? [stay.text] : [`${nameOf(tree.object[i], [...at, ''])}:${stay.text}`]
    })
    return { text: 'array' in tree ? `[${items.join()}]` : `{${items.join()}}`, passes }
  }
  /** A member's name as it stands, or as the most specific rule's `to` says. */
  function nameOf(member: Member | undefined, at: Place): string {
    const place = [...at.slice(0, -1), member?.name ?? '']
    const best = rules.filter(({ path }) => selects(path, place)).sort(bySpecificity)[0]
    const last = best?.to?.at(-1)
    const step = last?.step === 'descendant' ? last.of : last
    return step?.step === 'name' ? JSON.stringify(step.name) : (member?.spelling ?? '')
  }
  const whole = visit(body, [], false)
  if (whole === undefined) throw new Error('policy-refused')
  return { ...verdict, text: whole.text }
}

const matches = (segment: Segment, key: string | number) =>
  segment.step === 'wildcard' ||
  (segment.step === 'name' ? segment.name : segment.step === 'index' && segment.index) === key

function selects([segment, ...rest]: Path, [key, ...keys]: Place): boolean {
  if (segment === undefined || key === undefined) return segment === undefined && key === undefined
  if (segment.step !== 'descendant') return matches(segment, key) && selects(rest, keys)
  return (matches(segment.of, key) && selects(rest, keys)) || selects([segment, ...rest], keys)
}

/** Whether the path's first `i` segments lead here, or above here into a descendant segment. */
const alive = (path: Path, i: number, at: Place) =>
  selects(path.slice(0, i), at) ||
  (path[i]?.step === 'descendant' && at.some((_, n) => selects(path.slice(0, i), at.slice(0, n))))

const spells = (path: Path, at: Place, key: string) =>
  path.some((segment, i) => {
    const step = segment.step === 'descendant' ? segment.of : segment
    return step.step === 'name' && step.name === key && alive(path, i, at)
  })

const RANK = { name: 3, index: 3, wildcard: 2, descendant: 0 }
const rank = (segment: Segment) =>
  segment.step === 'descendant' && segment.of.step !== 'wildcard' ? 1 : RANK[segment.step]
const bySpecificity = (a: Test, b: Test) =>
  b.path
    .map(rank)
    .join('')
    .padEnd(9, '-')
    .localeCompare(a.path.map(rank).join('').padEnd(9, '-'), 'en')

/** The JSON text of a tree. */
export function write(tree: Tree): string {
  if ('source' in tree) return tree.source
  if ('array' in tree) return `[${tree.array.map(write).join()}]`
  return `{${tree.object.map(({ spelling, value }) => `${spelling}:${write(value)}`).join()}}`
}
const show = (at: Place) =>
  `$${at.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('')}`
const lengthOf = (source: string) =>
  (source.startsWith('"') ? (JSON.parse(source) as string) : source).length

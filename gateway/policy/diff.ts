/** What a new policy version changes for the people in the data: effects, not text. Pure. @module */
import { isDeepStrictEqual } from 'node:util'
import { describeBody } from './body.ts'
import { compareForms, describeAction, formOf } from './form.ts'
import { formatPath } from './path.ts'
import type { Direction, Policy, Rule } from './policy.ts'
import { findWitnesses } from './witness.ts'

/** One effect. `widening` needs a second person; `neutral` discloses neither more nor less. */
export interface Effect {
  readonly effect: 'widening' | 'narrowing' | 'neutral'
  /** `$.applicant.name`, `header:accept`, or a part of the frame: `purpose`. */
  readonly what: string
  readonly text: string
  /** The rule that brings the effect about, in the new version where there is one. */
  readonly rule?: Rule
}

/** The effects on one policy; none of them is left out. */
export interface PolicyEffects {
  readonly id: string
  readonly effects: readonly Effect[]
}

/** Lists the effects of replacing all active versions, policy by policy; unchanged ones are left out. */
export function diffActive(
  before: readonly Policy[],
  after: readonly Policy[],
): readonly PolicyEffects[] {
  // A shadow is compared with a shadow: it takes nothing from the version in force.
  const key = ({ id, mode }: Policy) => `${id} ${mode}`
  const find = (side: readonly Policy[], name: string) => side.find((one) => key(one) === name)
  return [...new Set([...before, ...after].map(key))]
    .map((name) => ({
      id: name.split(' ')[0] ?? '',
      effects: diffPolicies(find(before, name), find(after, name)),
    }))
    .filter(({ effects }) => effects.length > 0)
}

/** Lists the effects of replacing `before` by `after`; either may be absent. */
export function diffPolicies(
  before: Policy | undefined,
  after: Policy | undefined,
): readonly Effect[] {
  const some = after ?? before
  if (some === undefined) return []
  // Another recipient or route is a new disclosure: nothing of it was there before.
  const isSameRoute =
    before !== undefined && after !== undefined && routeOf(before) === routeOf(after)
  if (before !== undefined && after !== undefined && !isSameRoute) {
    return [...diffPolicies(before, undefined), ...diffPolicies(undefined, after)]
  }
  return [
    ...diffDirection(before?.request, after?.request, some.to),
    ...diffDirection(before?.response, after?.response, some.from),
    ...(before === undefined || after === undefined ? [] : diffFrame(before, after)),
  ]
}

function routeOf({ from, to, when }: Policy): string {
  return [from, to, when.method, when.path.replace(/\{[^}]+\}/g, '{}')].join(' ')
}

const NOTHING: Direction = {
  unnamed: 'drop',
  headers: [],
  query: [],
  pathParameters: [],
  fields: [],
}

function diffDirection(before = NOTHING, after = NOTHING, receiver: string): readonly Effect[] {
  const effects: Effect[] = []
  const witnesses = findWitnesses(before.fields, after.fields)
  if (witnesses === undefined) {
    effects.push({
      effect: 'widening',
      what: 'fields',
      text: 'too many overlapping paths to compare',
    })
  }
  for (const { place, before: old, after: now } of witnesses ?? []) {
    effects.push(...compareRules(formatPath(place), old, now, receiver))
  }
  for (const section of ['headers', 'query', 'pathParameters'] as const) {
    const find = (rules: readonly Rule[], text: string) => rules.find((rule) => rule.text === text)
    for (const { text } of union(before[section], after[section])) {
      effects.push(
        ...compareRules(text, find(before[section], text), find(after[section], text), receiver),
      )
    }
  }
  const [was, is] = [before, after].map(({ body }) => describeBody(body).join(', '))
  if (was !== is && before !== NOTHING && after !== NOTHING) {
    // Other columns or namespaces put other values under the names that pass.
    effects.push({ effect: 'widening', what: 'body', text: `${was} → ${is}` })
  }
  if (before.unnamed !== after.unnamed && before !== NOTHING && after !== NOTHING) {
    const text = `unnamed fields: ${before.unnamed} → ${after.unnamed}`
    effects.push({ effect: 'neutral', what: 'unnamed', text })
  }
  return effects
}

function union(before: readonly Rule[], after: readonly Rule[]): readonly Rule[] {
  return [...new Map([...before, ...after].map((rule) => [rule.text, rule])).values()]
}

function compareRules(
  what: string,
  old: Rule | undefined,
  now: Rule | undefined,
  receiver: string,
): readonly Effect[] {
  const more = compareForms(formOf(now), formOf(old))
  const isSame =
    isDeepStrictEqual(old?.action, now?.action) &&
    old?.kind === now?.kind &&
    toText(old) === toText(now)
  if (more === 0 && (isSame || formOf(now) === 'nothing')) return []
  const rule = now ?? old
  const [was, is] = [describeAction(old) + toText(old), describeAction(now) + toText(now)]
  const text =
    formOf(old) === 'nothing'
      ? `now reaches ${receiver}: ${is}`
      : formOf(now) === 'nothing'
        ? `no longer reaches ${receiver} (was ${was})`
        : `reaches ${receiver} in another form: ${was} → ${is}`
  // The same form with other parameters may show more: only a person can tell.
  const effect = more < 0 ? 'narrowing' : 'widening'
  return [{ effect, what, text, ...(rule === undefined ? {} : { rule }) }]
}

function toText(rule: Rule | undefined): string {
  return rule?.to === undefined ? '' : ` → ${formatPath(rule.to)}`
}

/** Changes outside the rules. Whatever loosens the legal ground counts as widening. */
function diffFrame(before: Policy, after: Policy): readonly Effect[] {
  const effects: Effect[] = []
  const note = (what: string, old: unknown, now: unknown, effect: Effect['effect']): void => {
    if (isDeepStrictEqual(old, now)) return
    effects.push({ effect, what, text: `${show(old)} → ${show(now)}` })
  }
  const pathText = (policy: Policy) => policy.legal.consent && formatPath(policy.legal.consent)
  note('purpose', before.purpose, after.purpose, 'widening')
  note('legal.basis', before.legal.basis, after.legal.basis, 'widening')
  note(
    'legal.consent',
    pathText(before),
    pathText(after),
    before.legal.consent ? 'widening' : 'narrowing',
  )
  note('legal.pia', before.legal.pia?.id, after.legal.pia?.id, 'neutral')
  note('evidence.custody', before.evidence.custody, after.evidence.custody, custodyEffect(after))
  note('evidence.retain', before.evidence.retain, after.evidence.retain, 'neutral')
  note('evidence.links', linksOf(before), linksOf(after), 'neutral')
  for (const side of ['request', 'response'] as const) {
    const [old, now] = [before[side].envelope, after[side].envelope]
    // Without its envelope, or in another one, a body is open to others on the way.
    const effect = old?.seal === undefined ? 'narrowing' : 'widening'
    note(`${side}.envelope.seal`, old?.seal, now?.seal, effect)
    note(`${side}.envelope.open`, old?.open, now?.open, 'neutral')
  }
  note('mode', before.mode, after.mode, after.mode === 'enforce' ? 'widening' : 'narrowing')
  return effects
}

// Sealed custody keeps originals that were not kept before.
function custodyEffect(after: Policy): Effect['effect'] {
  return after.evidence.custody === 'sealed' ? 'widening' : 'narrowing'
}

function linksOf({ evidence }: Policy): string {
  return [...evidence.links].map(([name, path]) => `${name}: ${formatPath(path)}`).join(', ')
}

function show(value: unknown): string {
  return value === undefined || value === '' ? 'none' : String(value)
}

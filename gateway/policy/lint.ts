/** What is allowed in a policy and yet is likely a mistake. Numbers are stable. Pure. @module */
import { isDeepStrictEqual } from 'node:util'
import type { Report, Spot } from '../../base/diagnostic.ts'
import { Problem } from '../../base/problem.ts'
import { readFormat } from '../transform/format.ts'
import { readTree } from '../transform/tree.ts'
import type { Kinds } from '../guard/kinds.ts'
import { decide, leavesOf } from './decide.ts'
import { compareForms, formOf } from './form.ts'
import { lintKinds } from './lint-kinds.ts'
import { formatPath } from './path.ts'
import type { Direction, Policy, Rule } from './policy.ts'
import { sampleMessage } from './sample.ts'

/** One row per lint: numbers are public, add rows, never reuse one. */
// prettier-ignore
export const LINTS = {
  P101: 'a personal kind is kept in clear and no reason is given',
  P102: 'a test asserts nothing',
  P103: 'one kind leaves both masked and as an unkeyed hash: together they give the value away',
  P104: 'a kept field looks like an unkeyed hash, which can be reversed by trying all values',
  P105: 'rules that no test meets',
  P106: 'a rule stands inside what another rule drops or changes as a whole, so it never applies',
  P107: 'two policies share a token domain and rest on different grounds',
  P108: 'a token is made without a kind, so tokens of unlike fields can be linked',
  P109: 'the basis is consent and no consent is checked',
  P110: 'personal kinds are relayed and no impact assessment is named',
  P111: 'records are kept for less than three years',
  P112: 'fields that no rule spells out are kept',
  P113: 'a kind of class C3 never leaves, whatever a policy says',
  P114: 'this kind may never be collected (征信业管理条例 Art. 14)',
  P115: 'this kind needs written consent after notice (征信业管理条例 Art. 14)',
  P116: 'a field whose name says that it is personal is kept as it is, and the leak guard will stop it',
  P117: 'a format has so few values that its tokens can be guessed',
  P118: 'tokens of this format look like personal data, and the leak guard will stop them',
  P119: 'one kind is masked in two ways: side by side they show more than either',
  P120: 'a value leaves as an unkeyed hash, which can be reversed by trying all values',
} as const
export type LintCode = keyof typeof LINTS

type Tell = (code: LintCode, at: Spot, detail: string, help: string) => void

/** Reports the lints of one policy: warnings, and errors for what no policy may do to a kind. */
export function lintPolicy(policy: Policy, kinds: Kinds | undefined, report: Report): void {
  const tell: Tell = (code, at, detail, help) =>
    report.warning(at, detail === '' ? LINTS[code] : `${LINTS[code]}: ${detail}`, help, code)
  for (const direction of [policy.request, policy.response]) {
    const rules = rulesOf(direction)
    for (const rule of rules) lintRule(rule, tell)
    if (kinds !== undefined) lintKinds(rules, policy, kinds, report)
    lintMasks(rules, tell, report)
    lintShadowed(direction, tell)
  }
  lintTests(policy, tell)
  lintFrame(policy, tell)
}

/** Reports the lints that show only between policies: `active` holds every version in force. */
export function lintTogether(active: readonly Policy[], report: Report): void {
  const domains = new Map<string, Policy>()
  for (const policy of active) {
    const key = [...[policy.from, policy.to].toSorted(), policy.purpose].join(' ')
    const other = domains.get(key)
    if (other === undefined) domains.set(key, policy)
    else if (groundOf(other) !== groundOf(policy)) {
      const message = `${LINTS.P107}: \`${other.id}\` and \`${policy.id}\`, purpose \`${policy.purpose}\``
      report.warning(frameOf(policy), message, 'give one of them a purpose of its own', 'P107')
    }
  }
}

function groundOf({ legal }: Policy): string {
  return legal.pia?.id ?? ''
}

function frameOf({ source }: Policy): Spot {
  return { file: source.file, line: 1, column: 1 }
}

function rulesOf(direction: Direction): readonly Rule[] {
  const { headers, query, pathParameters, fields } = direction
  return [...headers, ...query, ...pathParameters, ...fields]
}

/** Why the rule is as it is, wherever the officer wrote it. */
function hasReason({ reason, action }: Rule): boolean {
  const own = action.with[action.transform]
  return reason !== undefined || (action.transform === 'keep' && typeof own === 'string')
}

function lintRule(rule: Rule, tell: Tell): void {
  const { transform } = rule.action
  if (hasReason(rule)) return
  if (transform === 'keep' && rule.kind !== undefined) {
    tell('P101', rule.at, `\`${rule.kind}\``, 'add `reason: …`, or tokenize it')
  }
  if (
    transform === 'keep' &&
    /md5|sha-?\d|sm3|hash|digest/i.test(lastName(rule)) &&
    rule.kind !== 'digest'
  ) {
    tell(
      'P104',
      rule.at,
      `\`${rule.text}\``,
      'use `translate` or `pseudonymise`, or add `reason: …`',
    )
  }
  if ((transform === 'tokenize' || transform === 'pseudonymise') && rule.kind === undefined) {
    tell('P108', rule.at, `\`${rule.text}\``, 'add `kind: …`')
  }
  const reachesAny = rule.path.some(
    (segment) => segment.step === 'descendant' && segment.of.step === 'wildcard',
  )
  const isLastAny = rule.path.at(-1)?.step === 'wildcard'
  if (compareForms(formOf(rule), 'clear') >= 0 && (reachesAny || isLastAny)) {
    tell('P112', rule.at, `\`${rule.text}\``, 'name the fields, or add `reason: …`')
  }
}

function lastName({ path }: Rule): string {
  const last = path.at(-1)
  const step = last?.step === 'descendant' ? last.of : last
  return step?.step === 'name' ? step.name : ''
}

/** What one recipient could lay side by side: two masks, or a mask and a hash, of one kind. */
function lintMasks(rules: readonly Rule[], tell: Tell, report: Report): void {
  for (const [index, rule] of rules.entries()) {
    const { kind, at, action } = rule
    if (action.transform === 'legacy-hash') {
      const until = `\`${rule.text}\`, signed off by ${action.with['signOff']} until ${action.with['expires']}`
      tell('P120', at, until, 'agree on `pseudonymise` or `translate` before that day')
    }
    if (kind === undefined) continue
    const isMask = (other: Rule) => other.kind === kind && other.action.transform === 'mask'
    if (action.transform === 'legacy-hash') {
      const masked = rules.find(isMask)
      if (masked === undefined) continue
      const detail = `\`${kind}\`, also ${masked.id} on line ${masked.at.line}`
      report.error(at, `${LINTS.P103}: ${detail}`, 'drop one of the two', 'P103')
    } else if (isMask(rule)) {
      const other = rules.slice(0, index).find(isMask)
      if (other === undefined || isDeepStrictEqual(other.action, action)) continue
      const detail = `\`${kind}\`, also ${other.id} on line ${other.at.line}`
      tell('P119', at, detail, 'mask both alike, or drop one')
    }
  }
}

/** A rule below one that drops the container, or that refuses one. */
function lintShadowed({ fields }: Direction, tell: Tell): void {
  for (const rule of fields) {
    for (let length = 1; length < rule.path.length; length++) {
      const around = formatPath(rule.path.slice(0, length))
      const other = fields.find(({ text }) => text === around)
      if (other === undefined || other.action.transform === 'keep') continue
      tell(
        'P106',
        rule.at,
        `\`${rule.text}\` inside ${other.id} on line ${other.at.line}`,
        'remove one of the two',
      )
    }
  }
}

function lintTests(policy: Policy, tell: Tell): void {
  for (const { at, relayed, answered, refused, never } of policy.tests) {
    const asserts =
      [relayed, answered, refused].some((part) => part !== undefined) || never.length > 0
    if (!asserts) tell('P102', at, '', 'add `relayed`, `answered`, `refused` or `never`')
  }
  const unmet = (['request', 'response'] as const).flatMap((side) => {
    const met = new Set(policy.tests.flatMap((test) => rulesMet(policy[side], test[side])))
    return policy[side].fields.filter((rule) => !met.has(rule))
  })
  const [first] = unmet
  if (first === undefined) return
  const total = policy.request.fields.length + policy.response.fields.length
  const list = unmet.map(({ id }) => id).join(', ')
  tell('P105', first.at, `${unmet.length} of ${total}: ${list}`, 'add the fields to a test sample')
}

function rulesMet(
  direction: Direction,
  sample: Policy['tests'][number]['request'],
): readonly Rule[] {
  if (sample === undefined) return []
  // What stands for a token does not matter here: only its place does.
  try {
    const { body, contentType } = sampleMessage(sample, direction.body, () => '')
    const tree = readTree(body, readFormat(contentType, direction.body))
    return leavesOf(tree).flatMap((place) => decide(direction.fields, place)?.rule ?? [])
  } catch (error) {
    // A raw sample may be broken on purpose, to be refused.
    if (error instanceof Problem) return []
    throw error
  }
}

const CONSENTS: ReadonlySet<string> = new Set(['consent', 'separate-consent', 'written-consent'])

function lintFrame(policy: Policy, tell: Tell): void {
  const at = frameOf(policy)
  const { legal, evidence } = policy
  if (CONSENTS.has(legal.basis) && legal.consent === undefined) {
    tell('P109', at, `\`${legal.basis}\``, 'add `consent: { at: $.… }` under `legal`')
  }
  const kinds = [policy.request, policy.response]
    .flatMap(rulesOf)
    .flatMap((rule) => (rule.kind !== undefined && formOf(rule) !== 'nothing' ? [rule.kind] : []))
  if (legal.pia === undefined && kinds.length > 0) {
    const help = 'add `pia: { id: …, date: … }` under `legal` (PIPL Art. 55)'
    tell('P110', at, [...new Set(kinds)].join(', '), help)
  }
  const days = { y: 365, m: 365 / 12, d: 1 }[evidence.retain.slice(-1) as 'y' | 'm' | 'd']
  if (Number.parseInt(evidence.retain, 10) * days < 3 * 365) {
    tell('P111', at, evidence.retain, 'write `retain: 3y` or longer (PIPL Art. 56)')
  }
}

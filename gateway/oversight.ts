/** Keeps an eye on the policies in force: what each rule met, what a shadow would do, failed reloads. @module */
import type { Report } from '../base/diagnostic.ts'
import type { Content } from './content.ts'
import type { Exchange } from './exchange.ts'
import type { ScreenPorts } from './http/long.ts'
import { type Logger, describeError } from './log.ts'
import { createRuleCounters, type RuleCounters } from './policy/counters.ts'
import type { LiveEvents } from './policy/live.ts'
import type { Policy } from './policy/policy.ts'
import type { Registry } from './policy/registry.ts'
import { manifestOf, watchShadow } from './shadow.ts'

/** One active policy version, in numbers: what the admin API answers. */
export interface PolicyStatus {
  readonly id: string
  readonly version: number
  readonly digest: string
  readonly mode: Policy['mode']
  readonly uses: number
  readonly differing: number
  readonly unseen: number
  readonly refused: Readonly<Record<string, number>>
  readonly rules: readonly { readonly rule: string; readonly text: string; readonly hits: number }[]
  /** Rules that met nothing although the policy was used often enough. */
  readonly dead: readonly string[]
}

/** See `createOversight`. */
export interface Oversight {
  readonly events: LiveEvents<Content>
  /** Counts a finished exchange, and has its shadow decide it too. */
  observe(ports: ScreenPorts, exchange: Exchange): void
  status(policies: readonly Policy[]): readonly PolicyStatus[]
  /** Readings of the files so far, the first one excepted. */
  readonly reloads: () => { readonly accepted: number; readonly rejected: number }
  /** What the operator should know and that stops nothing. */
  readonly warnings: () => readonly string[]
  /** Whether what lies on disk is not in force. */
  readonly stale: () => boolean
}

/** @param deadRuleUses exchanges after which a rule that met nothing is reported. */
export function createOversight(log: Logger, deadRuleUses: number): Oversight {
  const counters = createRuleCounters()
  const reloads = { accepted: 0, rejected: 0 }
  let failure: string | undefined
  return {
    events: {
      reloaded: ({ registry }) => {
        reloads.accepted++
        failure = undefined
        log.info(namesOf(registry), 'policies reloaded')
      },
      rejected: (report) => {
        reloads.rejected++
        const errors = errorsOf(report)
        failure = `the policies on disk are not in force: ${errors[0] ?? ''}`
        log.error({ errors }, 'policies rejected; the last good ones stay in force')
      },
    },
    observe: (ports, exchange) => {
      const { route, rid } = exchange
      if (route === undefined) return
      if ((exchange.rewritten ?? exchange.passage) !== undefined) {
        counters.count(route.policy, manifestOf(exchange))
        alarmAtDeadRules(log, counters, route.policy, deadRuleUses)
      }
      watchShadow(ports, exchange, counters).catch((error: unknown) =>
        log.error({ rid, error: describeError(error) }, 'the shadow version failed'),
      )
    },
    status: (policies) => policies.map((policy) => statusOf(policy, counters, deadRuleUses)),
    reloads: () => reloads,
    warnings: () => (failure === undefined ? [] : [failure]),
    stale: () => failure !== undefined,
  }
}

/** What is in force, and what is not although it is well. */
export function namesOf({ active, idle }: Registry) {
  const name = ({ id, version, mode }: Policy) =>
    `${id}@${version}${mode === 'shadow' ? ' (shadow)' : ''}`
  return {
    inForce: active.map(({ policy }) => name(policy)),
    withoutParty: idle.map(name),
  }
}

function alarmAtDeadRules(log: Logger, counters: RuleCounters, policy: Policy, uses: number): void {
  if (counters.usage(policy).uses !== uses) return
  const rules = counters.deadRules([policy], uses).map(({ rule }) => rule.id)
  if (rules.length === 0) return
  log.warn({ policy: policy.id, version: policy.version, rules }, 'rules that met no value')
}

function statusOf(policy: Policy, counters: RuleCounters, deadRuleUses: number): PolicyStatus {
  const { id, version, digest, mode, request, response } = policy
  const { uses, differing, unseen, refused } = counters.usage(policy)
  const rules = [request, response].flatMap(({ headers, query, pathParameters, fields }) => [
    ...headers,
    ...query,
    ...pathParameters,
    ...fields,
  ])
  return {
    ...{ id, version, digest, mode, uses, differing, unseen },
    refused: Object.fromEntries(refused),
    rules: rules.map((rule) => ({
      rule: rule.id,
      text: rule.text,
      hits: counters.hits(policy, rule),
    })),
    dead: counters.deadRules([policy], deadRuleUses).map(({ rule }) => rule.id),
  }
}

function errorsOf({ diagnostics }: Report): readonly string[] {
  return diagnostics
    .filter(({ severity }) => severity === 'error')
    .map(({ at, message }) => `${at.file}:${at.line}:${at.column}: ${message}`)
}

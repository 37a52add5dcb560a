/** How often each rule met a value, so that a rule that never does is seen. @module */
import type { ManifestEntry } from '../../evidence/record.ts'
import type { Policy, Rule } from './policy.ts'

/** Counts by policy version and rule; counts start at 0 with the process. */
export interface RuleCounters {
  /** Adds one exchange's manifest; a shadow version's manifest counts under its own version. */
  count(policy: Policy, manifest: readonly ManifestEntry[]): void
  /** How many values a rule met. */
  hits(policy: Policy, rule: Rule): number
  /** Rules that met nothing although their policy was used at least `uses` times. */
  deadRules(policies: readonly Policy[], uses: number): readonly DeadRule[]
}

export interface DeadRule {
  readonly policy: Policy
  readonly rule: Rule
}

/** Makes counters that hold rule ids and numbers, never a value. */
export function createRuleCounters(): RuleCounters {
  const byPolicy = new Map<string, { uses: number; readonly hits: Map<string, number> }>()
  const keyOf = ({ digest }: Policy) => digest
  const hits = (policy: Policy, rule: Rule) => byPolicy.get(keyOf(policy))?.hits.get(rule.id) ?? 0
  return {
    count(policy, manifest) {
      const entry = byPolicy.get(keyOf(policy)) ?? { uses: 0, hits: new Map() }
      byPolicy.set(keyOf(policy), entry)
      entry.uses++
      for (const { rule, count } of manifest) {
        entry.hits.set(rule, (entry.hits.get(rule) ?? 0) + count)
      }
    },
    hits,
    deadRules: (policies, uses) =>
      policies
        .filter((policy) => (byPolicy.get(keyOf(policy))?.uses ?? 0) >= uses)
        .flatMap((policy) =>
          [...policy.request.fields, ...policy.response.fields]
            .filter((rule) => hits(policy, rule) === 0)
            .map((rule) => ({ policy, rule })),
        ),
  }
}

/** How often each rule met a value, so that a rule that never does is seen; and how a shadow version fared. @module */
import type { ManifestEntry } from '../../evidence/record.ts'
import type { Policy, Rule } from './policy.ts'

/** Counts by policy version and rule; counts start at 0 with the process. */
export interface RuleCounters {
  /** Adds one exchange's manifest; a shadow version's manifest counts under its own version. */
  count(policy: Policy, manifest: readonly ManifestEntry[]): void
  /** Adds one exchange that a shadow version decided otherwise; `slug` when it would have refused it. */
  differ(policy: Policy, slug?: string): void
  /** Adds one exchange whose long body a shadow version did not get to see. */
  miss(policy: Policy): void
  /** How many values a rule met. */
  hits(policy: Policy, rule: Rule): number
  usage(policy: Policy): Usage
  /** Rules that met nothing although their policy was used at least `uses` times. */
  deadRules(policies: readonly Policy[], uses: number): readonly DeadRule[]
}

/** What a policy version did, in numbers. */
export interface Usage {
  /** Exchanges it decided, or would have decided. */
  readonly uses: number
  /** Of these, exchanges that it decides otherwise than the version in force. */
  readonly differing: number
  /** Exchanges with a long body that it did not see: they were refused before it was read. */
  readonly unseen: number
  /** Problem slug → exchanges that it would have refused and the version in force did not. */
  readonly refused: ReadonlyMap<string, number>
}

export interface DeadRule {
  readonly policy: Policy
  readonly rule: Rule
}

interface Tally {
  uses: number
  differing: number
  unseen: number
  readonly hits: Map<string, number>
  readonly refused: Map<string, number>
}

/** Makes counters that hold rule ids, slugs and numbers, never a value. */
export function createRuleCounters(): RuleCounters {
  const byDigest = new Map<string, Tally>()
  const tallyOf = ({ digest }: Policy): Tally => {
    const tally = byDigest.get(digest) ?? makeTally()
    byDigest.set(digest, tally)
    return tally
  }
  const hits = (policy: Policy, rule: Rule) => byDigest.get(policy.digest)?.hits.get(rule.id) ?? 0
  return {
    count(policy, manifest) {
      const tally = tallyOf(policy)
      tally.uses++
      for (const { rule, count } of manifest) add(tally.hits, rule, count)
    },
    differ(policy, slug) {
      const tally = tallyOf(policy)
      tally.differing++
      if (slug !== undefined) add(tally.refused, slug, 1)
    },
    miss(policy) {
      tallyOf(policy).unseen++
    },
    hits,
    usage: (policy) => byDigest.get(policy.digest) ?? makeTally(),
    deadRules: (policies, uses) =>
      policies
        .filter((policy) => (byDigest.get(policy.digest)?.uses ?? 0) >= uses)
        .flatMap((policy) =>
          [...policy.request.fields, ...policy.response.fields]
            .filter((rule) => hits(policy, rule) === 0)
            .map((rule) => ({ policy, rule })),
        ),
  }
}

function makeTally(): Tally {
  return { uses: 0, differing: 0, unseen: 0, hits: new Map(), refused: new Map() }
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count)
}

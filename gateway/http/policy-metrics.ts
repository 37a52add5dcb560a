/** Counters of rules and policies for operators (prom-client). @module */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { CanaryState } from '../canary.ts'
import type { PolicyStatus } from '../oversight.ts'

/** Read when the metrics are asked for. */
export interface PolicyCounts {
  readonly status: () => readonly PolicyStatus[]
  readonly reloads: () => { readonly accepted: number; readonly rejected: number }
  /** 1 while what lies on disk is not in force. */
  readonly stale: () => boolean
  readonly canary: () => CanaryState
}

/** Adds the metrics; labels are policy ids, rule ids and slugs. */
export function addPolicyMetrics(registry: Registry, counts: PolicyCounts): void {
  addRuleMetrics([registry], counts)
  addStateMetrics([registry], counts)
}

function addRuleMetrics(registers: Registry[], { status }: PolicyCounts): void {
  new Counter({
    name: 'sealgate_rule_hits_total',
    help: 'Values that a rule met, by policy version; a shadow version counts what it would do.',
    labelNames: ['policy', 'version', 'mode', 'rule'],
    registers,
    collect() {
      this.reset()
      for (const { rules, ...policy } of status()) {
        for (const { rule, hits } of rules) this.inc({ ...labelsOf(policy), rule }, hits)
      }
    },
  })
  new Counter({
    name: 'sealgate_policy_uses_total',
    help: 'Exchanges that a policy version decided.',
    labelNames: ['policy', 'version', 'mode'],
    registers,
    collect() {
      this.reset()
      for (const policy of status()) this.inc(labelsOf(policy), policy.uses)
    },
  })
  const ofShadows = (name: string, help: string, of: (policy: PolicyStatus) => number) =>
    new Counter({
      ...{ name, help, labelNames: ['policy', 'version', 'mode'], registers },
      collect() {
        this.reset()
        for (const policy of status()) {
          if (policy.mode === 'shadow') this.inc(labelsOf(policy), of(policy))
        }
      },
    })
  ofShadows('sealgate_shadow_differences_total', 'Exchanges that a shadow version decides otherwise than the version in force.', ({ differing }) => differing) // prettier-ignore
  ofShadows('sealgate_shadow_unseen_total', 'Exchanges with a long body that a shadow version did not get to see.', ({ unseen }) => unseen) // prettier-ignore
  new Gauge({
    name: 'sealgate_dead_rules',
    help: 'Rules that met no value although their policy was used often.',
    labelNames: ['policy', 'version', 'mode'],
    registers,
    collect() {
      this.reset()
      for (const policy of status()) this.set(labelsOf(policy), policy.dead.length)
    },
  })
}

function addStateMetrics(registers: Registry[], { reloads, stale, canary }: PolicyCounts): void {
  new Counter({
    name: 'sealgate_policy_reloads_total',
    help: 'Readings of the policy files after the start.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset()
      for (const [result, count] of Object.entries(reloads())) this.inc({ result }, count)
    },
  })
  new Gauge({
    name: 'sealgate_policies_stale',
    help: 'Whether the policies on disk were rejected, and older ones are in force.',
    registers,
    collect() {
      this.set(stale() ? 1 : 0)
    },
  })
  new Counter({
    name: 'sealgate_canary_runs_total',
    help: 'Canaries that went through every route in force.',
    registers,
    collect() {
      this.reset()
      this.inc(canary().runs)
    },
  })
  new Gauge({
    name: 'sealgate_canary_failures',
    help: 'What the latest canary found that does not work as its policy says.',
    registers,
    collect() {
      this.set(canary().failures.length)
    },
  })
}

function labelsOf({ id, version, mode }: Pick<PolicyStatus, 'id' | 'version' | 'mode'>) {
  return { policy: id, version: String(version), mode }
}

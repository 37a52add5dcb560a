/** Whether the borrower's consent covers a relay (PIPL arts. 23 and 29). @module */
import { Problem } from '../../base/problem.ts'
import type { Policy, Rule } from '../policy/policy.ts'
import type { Captured } from '../transform/transform.ts'

/** RFC 3339 with an explicit offset; `Date.parse` alone takes much more. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

/** A transform whose result tells the recipient nothing. */
const SILENT = new Set(['drop', 'refuse'])

/**
 * Checks a consent object against the policy: recipient, purpose, kinds of data, time.
 *
 * @param value what stands at `legal.consent.at`; undefined when there is nothing.
 * @throws {Problem} `consent-missing`, naming the member that does not fit.
 */
export function checkConsent(policy: Policy, value: Captured | undefined, nowMs: number): void {
  if (value === undefined) throw missing('no consent stands where the policy expects it')
  if (value.type !== 'object') throw missing('expected the consent as an object')
  const consent = JSON.parse(value.reveal()) as Record<string, unknown>
  const { recipient, purpose, kinds, grantedAt, expiresAt } = consent
  if (recipient !== policy.to) throw missing('its `recipient` is not the recipient')
  if (purpose !== policy.purpose) throw missing("its `purpose` is not the policy's")
  const granted = instant(grantedAt, 'grantedAt')
  if (granted > nowMs) throw missing('its `grantedAt` is in the future')
  if (instant(expiresAt, 'expiresAt') <= nowMs) throw missing('its `expiresAt` has passed')
  // 征信业管理条例 Art. 14 ¶2: in writing, after being told of the consequences.
  if (policy.legal.basis === 'written-consent') {
    if (consent['written'] !== true) throw missing('its `written` is not true')
    if (consent['consequencesNotified'] !== true)
      throw missing('its `consequencesNotified` is not true')
  }
  const covered = new Set(Array.isArray(kinds) ? kinds : [])
  const uncovered = [...disclosedKinds(policy)].filter((kind) => !covered.has(kind))
  if (uncovered.length > 0) throw missing(`its \`kinds\` lack ${uncovered.join(', ')}`)
}

/** Kinds of data that reach the recipient in some form. */
function disclosedKinds(policy: Policy): ReadonlySet<string> {
  const { fields, headers, query, pathParameters } = policy.request
  const rules: readonly Rule[] = [...fields, ...headers, ...query, ...pathParameters]
  return new Set(
    rules.flatMap(({ kind, action }) =>
      kind === undefined || SILENT.has(action.transform) ? [] : [kind],
    ),
  )
}

function instant(value: unknown, name: string): number {
  const ms = typeof value === 'string' && TIME.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(ms)) throw missing(`expected its \`${name}\` as RFC 3339 time`)
  return ms
}

function missing(detail: string): Problem {
  return new Problem('consent-missing', detail)
}

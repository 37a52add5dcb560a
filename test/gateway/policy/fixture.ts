/** Small policies for the tests of the officer's tools. @module */
import { createReport, renderReport } from '../../../base/diagnostic.ts'
import { parsePolicy } from '../../../gateway/policy/parse.ts'
import type { Policy } from '../../../gateway/policy/policy.ts'
import { createRehearsal } from '../../../gateway/policy/rehearsal.ts'

export const TRANSFORMS = new Set(createRehearsal(undefined).keys())

/** What differs from a policy that does nothing. */
export interface Differs {
  readonly frame?: string
  readonly request?: string
  readonly response?: string
  readonly tests?: string
  readonly legal?: string
  readonly to?: string
}

/** The text of a policy; `request` and `response` are flow maps. */
export function policyText({
  frame = '',
  request,
  response,
  tests,
  legal,
  to,
}: Differs = {}): string {
  return `policy: p
version: 1
title: { zh: 甲, en: A }
from: a
to: ${to ?? 'b'}
when: { method: POST, path: /x }
purpose: q
legal: ${legal ?? '{ basis: contract, pia: { id: P, date: 2026-01-01 } }'}
${frame}
request: ${request ?? '{}'}
response: ${response ?? '{}'}
tests: ${tests ?? '[ { name: t, request: {}, relayed: {} } ]'}
`
}

/** Parses such a policy; a fixture that does not parse fails loudly. */
export function policyOf(differs: Differs = {}): Policy {
  const report = createReport()
  const policy = parsePolicy(report, 'p.yaml', policyText(differs), { transforms: TRANSFORMS })
  if (policy === undefined) throw new Error(renderReport(report))
  return policy
}

/** A direction with these `fields`. */
export function fields(text: string): string {
  return `{ fields: { ${text} } }`
}

/** What a new version would have done to exchanges that are past, told from their manifests alone. Pure. @module */
import { fromBase64url } from '../../base/base64url.ts'
import type { Report } from '../../base/diagnostic.ts'
import type { ManifestEntry } from '../../evidence/record.ts'
import { decide, representative } from './decide.ts'
import { compareForms, describeAction, formOf } from './form.ts'
import { parsePath } from './path.ts'
import type { Direction, Policy, Rule } from './policy.ts'

/** What a sealed record says about one exchange, as far as replay reads it. */
export interface PastExchange {
  readonly policy: { readonly id: string; readonly version: number }
  readonly request: PastMessage
  readonly response?: PastMessage
}
export interface PastMessage {
  readonly manifest: readonly ManifestEntry[]
  /** Values that no rule named; their names were never stored. */
  readonly unnamed: number
}

/** One way in which past values would have fared otherwise. */
export interface Change {
  readonly side: 'request' | 'response'
  readonly what: string
  readonly before: string
  readonly after: string
  readonly isWidening: boolean
  readonly exchanges: number
  readonly values: number
}

export interface Replay {
  readonly exchanges: number
  readonly changes: readonly Change[]
  /** Values in `request` and `response` that no rule named then: replay cannot tell what they were. */
  readonly unnamed: number
}

/** Reads record payloads, or sealed records unverified, one on each line. */
export function parsePast(file: string, text: string, report: Report): readonly PastExchange[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      // Attacker-controlled: replay counts, and proves nothing; `sealgate verify` checks the seal.
      const json = line.startsWith('{') ? line : fromBase64url(line.split('.')[1] ?? '').toString()
      return pastOf(JSON.parse(json)) ?? []
    } catch (error) {
      const at = { file, line: index + 1, column: 1 }
      const reason = error instanceof Error ? error.name : 'unreadable'
      report.error(at, `the line is no record (${reason})`, 'put one payload or JWS on each line')
      return []
    }
  })
}

/** What a record's payload says of an exchange; nothing when it tells of something else. */
export function pastOf(payload: unknown): PastExchange | undefined {
  const { policy, request, response } = payload as Partial<PastExchange>
  if (policy === undefined || !Array.isArray(request?.manifest)) return undefined
  return { policy, request, ...(response === undefined ? {} : { response }) }
}

/** Replays the exchanges that went by any version of this policy. */
export function replayManifests(policy: Policy, past: Iterable<PastExchange>): Replay {
  const tallies = { request: new Map<string, Tally>(), response: new Map<string, Tally>() }
  let exchanges = 0
  let unnamed = 0
  for (const exchange of past) {
    if (exchange.policy.id !== policy.id) continue
    exchanges++
    for (const side of ['request', 'response'] as const) {
      const message = exchange[side]
      if (message === undefined) continue
      unnamed += message.unnamed
      for (const entry of message.manifest) add(tallies[side], entry)
    }
  }
  const changes = (['request', 'response'] as const).flatMap((side) =>
    compareSide(side, policy[side], [...tallies[side].values()]),
  )
  return { exchanges, changes, unnamed }
}

interface Tally {
  readonly rule: Rule
  exchanges: number
  values: number
}

function add(tallies: Map<string, Tally>, entry: ManifestEntry): void {
  const key = `${entry.path} ${entry.action} ${entry.kind ?? ''}`
  const tally = tallies.get(key) ?? { rule: ruleOf(entry), exchanges: 0, values: 0 }
  tally.exchanges++
  tally.values += entry.count
  tallies.set(key, tally)
}

/** The rule as far as a manifest tells it: without parameters. */
function ruleOf({ rule: id, path: text, action, kind }: ManifestEntry): Rule {
  const parsed = parsePath(text)
  return {
    id,
    text,
    path: 'path' in parsed ? parsed.path : [],
    action: { transform: action, with: {} },
    at: { file: '', line: 1, column: 1 },
    ...(kind === undefined ? {} : { kind }),
  }
}

function compareSide(
  side: Change['side'],
  direction: Direction,
  tallies: readonly Tally[],
): readonly Change[] {
  const others = [...direction.headers, ...direction.query, ...direction.pathParameters]
  return tallies.flatMap((tally) => {
    const { rule } = tally
    // A manifest does not tell the values of one rule apart: the path as a whole is decided again.
    const now =
      rule.path.length === 0
        ? others.find(({ text }) => text === rule.text)
        : decide(direction.fields, representative(rule.path))?.rule
    if (now?.action.transform === rule.action.transform || !differs(rule, now)) return []
    return [
      {
        side,
        what: rule.text,
        before: describeAction(rule),
        after: describeAction(now),
        isWidening: compareForms(formOf(now), formOf(rule)) > 0,
        exchanges: tally.exchanges,
        values: tally.values,
      },
    ]
  })
}

// Dropped, refused and unnamed come to one thing for the recipient: nothing.
function differs(rule: Rule, now: Rule | undefined): boolean {
  return formOf(rule) !== 'nothing' || formOf(now) !== 'nothing'
}

/** Loads a folder of policies: parsed, compiled, tested by their own examples, and matched. @module */
import type { Report } from '../../base/diagnostic.ts'
import { type CompiledRoute, compileRoute } from '../transform/compile.ts'
import type { PartyConfig } from '../config.ts'
import { allowedBy } from '../guard/allowed.ts'
import { createGuard, type Guard } from '../guard/guard.ts'
import type { EnvelopeConfig } from '../envelope/config.ts'
import type { Kinds } from '../guard/kinds.ts'
import type { TransformTable } from '../transform/transform.ts'
import { type PolicyFile, readPolicyFiles } from './folder.ts'
import { lintEnvelopes } from './lint-envelopes.ts'
import { lintPolicy, lintTogether } from './lint.ts'
import { parseDraft } from './parse.ts'
import { namesOfRules } from './public-path.ts'
import type { Action, Direction, Policy, Rule } from './policy.ts'
import { writeContentType } from '../transform/format.ts'
import { createRehearsal } from './rehearsal.ts'
import { createMatch, type MatchRoute, selectActive } from './routes.ts'
import { type InspectSide, runPolicyTests, type TestOutcome } from './run-tests.ts'

/** What loading needs of the rest of the gateway. */
export interface PolicyPorts {
  /** With the real keys: what is relayed goes through it. */
  readonly transforms: TransformTable
  /** For versions in shadow: decides alike and changes nothing outside. */
  readonly shadowTransforms?: TransformTable
  /** The kinds dictionary; without it any kind's name passes and no class is recorded. */
  readonly kinds?: Kinds
  /** The parties that call and are called; a policy of others is checked and not put in force. */
  readonly parties?: readonly PartyConfig[]
  /** The envelopes of sealgate.yaml; any name passes when they are not at hand. */
  readonly envelopes?: readonly EnvelopeConfig[]
}

/** A policy version that passed its own tests, ready to relay. */
export interface LoadedPolicy {
  readonly policy: Policy
  readonly route: CompiledRoute
}

export interface Registry {
  /** Active versions, shadow ones included. */
  readonly active: readonly LoadedPolicy[]
  readonly match: MatchRoute<LoadedPolicy>
  /** Policies that are well and not in force: `sealgate.yaml` lacks one of their parties. */
  readonly idle: readonly Policy[]
}

/** Loads every policy of a folder, or nothing when `report` gained an error. */
export async function loadRegistry(
  folder: string,
  ports: PolicyPorts,
  report: Report,
): Promise<Registry | undefined> {
  const before = report.errorCount
  const { transforms, shadowTransforms = transforms, kinds, parties, envelopes } = ports
  const names = kinds === undefined ? {} : { kinds }
  const checked = await checkPolicies(readPolicyFiles([folder], report), names, report)
  const active = selectActive(
    checked.map(({ policy }) => policy),
    report,
  )
  lintTogether(active, report)
  const isParty = (id: string) => parties === undefined || parties.some((one) => one.id === id)
  const idle = active.filter(({ from, to }) => !isParty(from) || !isParty(to))
  const loaded = active.flatMap((policy) => {
    if (idle.includes(policy)) return []
    if (envelopes !== undefined) lintEnvelopes(policy, envelopes, report)
    const table = policy.mode === 'shadow' ? shadowTransforms : transforms
    const route = compile(policy, table, kinds, report)
    return route === undefined ? [] : [{ policy, route }]
  })
  if (report.errorCount > before) return undefined
  return { active: loaded, idle, match: createMatch(loaded) }
}

const FAILED_HELP = 'correct the rule, or the example when it is the example that is wrong'

export interface CheckedPolicy {
  readonly policy: Policy
  readonly outcomes: readonly TestOutcome[]
}

/** Parses, compiles and tests each file by itself; failing tests are errors of the report. */
export async function checkPolicies(
  files: readonly PolicyFile[],
  { kinds, parties, envelopes }: Pick<PolicyPorts, 'kinds' | 'parties' | 'envelopes'>,
  report: Report,
): Promise<readonly CheckedPolicy[]> {
  const rehearsal = createRehearsal(kinds)
  const inspect = kinds && inspectBy(createGuard(kinds))
  const known = {
    transforms: new Set(rehearsal.keys()),
    ...(kinds === undefined ? {} : { kinds: new Set(kinds.all.map(({ id }) => id)) }),
    ...(parties === undefined ? {} : { parties }),
  }
  const checked: CheckedPolicy[] = []
  for (const { file, text } of files) {
    const draft = parseDraft(report, file, text, known)
    if (draft === undefined) continue
    const policy = draft.isWhole ? draft.policy : withKnown(draft.policy, rehearsal)
    const route = compile(policy, rehearsal, kinds, report)
    if (!draft.isWhole) continue
    lintPolicy(policy, kinds, report)
    if (envelopes !== undefined) lintEnvelopes(policy, envelopes, report)
    if (route === undefined) continue
    const outcomes = await runPolicyTests(policy, route, rehearsal, inspect)
    for (const { test, failures } of outcomes) {
      for (const { at, message } of failures) {
        report.error(at, `test \`${test.name}\` fails: ${message}`, FAILED_HELP, 'P009')
      }
    }
    checked.push({ policy, outcomes })
  }
  return checked
}

/** A draft whose mistakes are told: what is left of it can be compiled to find those of its parameters. */
function withKnown(draft: Policy, table: TransformTable): Policy {
  const isFirst = (rule: Rule, index: number, rules: readonly Rule[]) =>
    rules.findIndex(({ text }) => text === rule.text) === index
  const known = (rule: Rule): Rule =>
    table.has(rule.action.transform) ? rule : { ...rule, action: REFUSED }
  const side = (direction: Direction): Direction => ({
    ...direction,
    headers: direction.headers.filter(isFirst).map(known),
    query: direction.query.filter(isFirst).map(known),
    pathParameters: direction.pathParameters.filter(isFirst).map(known),
    fields: direction.fields.filter(isFirst).map(known),
  })
  return { ...draft, request: side(draft.request), response: side(draft.response) }
}

const REFUSED: Action = { transform: 'refuse', with: {} }

/** The leak guard as policy tests use it: bodies alone, with what the policy allows. */
export function inspectBy(guard: Guard): InspectSide {
  return (policy, side, body, format) => {
    const allowed = allowedBy(policy[side])
    const names = namesOfRules(policy[side].fields)
    const mediaType = writeContentType(format)
    const { dialect } = format
    guard.inspect({ headers: [], query: '', path: '', mediaType, dialect, body, allowed, names })
  }
}

function compile(
  policy: Policy,
  table: TransformTable,
  kinds: Kinds | undefined,
  report: Report,
): CompiledRoute | undefined {
  const before = report.errorCount
  const route = compileRoute(
    policy,
    table,
    (at, message, help, code = 'P007') => report.error(at, message, help, code),
    kinds && ((kind) => kinds.get(kind)?.class),
  )
  return report.errorCount > before ? undefined : route
}

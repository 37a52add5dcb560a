/** Sends a made-up borrower and every policy's own examples through what is in force, on a timer. @module */
import { Problem } from '../base/problem.ts'
import type { Content } from './content.ts'
import { type Logger, describeError } from './log.ts'
import { placeBorrower } from './policy/borrower.ts'
import { textsOf } from './policy/expectation.ts'
import type { Policy } from './policy/policy.ts'
import { inspectBy, type LoadedPolicy } from './policy/registry.ts'
import { runPolicyTests, type Side } from './policy/run-tests.ts'
import { compileRoute } from './transform/compile.ts'
import { readJson } from '../base/json-node.ts'
import { JSON_FORMAT } from './transform/format.ts'
import { rewriteBody } from './transform/rewrite.ts'

/** What the canary of one policy met; it names rules, tests and slugs, never a value. */
export interface CanaryFailure {
  readonly policy: string
  readonly version: number
  readonly what: string
}

/** The canary as metrics and readiness see it. */
export interface CanaryState {
  readonly runs: number
  /** Of the latest run. */
  readonly failures: readonly CanaryFailure[]
}

/** A canary that is being sent. */
export interface Canary {
  state(): CanaryState
  close(): void
}

/** Starts at once, and again `intervalMs` after each run. Nothing reaches a recipient or a store. */
export function startCanary(current: () => Content, log: Logger, intervalMs: number): Canary {
  let state: CanaryState = { runs: 0, failures: [] }
  let timer: NodeJS.Timeout
  const run = async () => {
    const failures = await sendCanary(current())
    if (failures.length > 0 && !isSame(failures, state.failures))
      log.error({ failures }, 'the canary met policies that do not work as they say')
    state = { runs: state.runs + 1, failures }
  }
  const schedule = (ms: number) => {
    timer = setTimeout(() => {
      run()
        .catch((error: unknown) => log.error({ error: describeError(error) }, 'the canary failed'))
        .finally(() => schedule(intervalMs))
    }, ms).unref()
  }
  schedule(0)
  return { state: () => state, close: () => clearTimeout(timer) }
}

/** One line for each failure, for whoever asks whether the gateway is ready. */
export function warningsOf({ failures }: CanaryState): readonly string[] {
  return failures.map(({ policy, version, what }) => `canary: ${policy} ${version}: ${what}`)
}

function isSame(a: readonly CanaryFailure[], b: readonly CanaryFailure[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** Sends one canary through each route in force. */
export async function sendCanary(content: Content): Promise<readonly CanaryFailure[]> {
  const failures: CanaryFailure[] = []
  for (const loaded of content.registry.active) {
    if (loaded.policy.mode !== 'enforce') continue
    // A canary may not hold up what is really relayed.
    await new Promise((resolve) => setImmediate(resolve))
    const { id, version } = loaded.policy
    for (const what of await checkPolicy(content, loaded)) {
      failures.push({ policy: id, version, what })
    }
  }
  return failures
}

async function checkPolicy(content: Content, { policy }: LoadedPolicy): Promise<readonly string[]> {
  const { registry, guard, rehearsal } = content
  const { from, to, when } = policy
  const path = when.path.replaceAll(/\{[^}]+\}/g, 'canary')
  if (registry.match(from, to, when.method, path)?.enforced.policy.digest !== policy.digest)
    return ['its route leads to another policy']
  const complaints: string[] = []
  const route = compileRoute(policy, rehearsal, (at, message) => {
    complaints.push(`line ${at.line}: ${message}`)
  })
  if (complaints.length > 0) return complaints
  const inspect = inspectBy(guard)
  const outcomes = await runPolicyTests(policy, route, rehearsal, inspect)
  const failed = outcomes.filter(({ failures }) => failures.length > 0)
  const sides = ['request', 'response'] as const
  const leaks = await Promise.all(
    sides.map((side) =>
      leaksOf(policy, side, async (body) => {
        const { bytes } = await rewriteBody(route[side], body)
        inspect(policy, side, bytes, JSON_FORMAT)
        return bytes.toString()
      }),
    ),
  )
  return [
    ...failed.map(({ test }) => `test \`${test.name}\` (line ${test.at.line})`),
    ...leaks.flat(),
  ]
}

/** A refusal lets nothing out; whether it is right is for the policy's own tests to say. */
async function leaksOf(
  policy: Policy,
  side: Side,
  rewrite: (body: Buffer) => Promise<string>,
): Promise<readonly string[]> {
  // What has no fields has no place to put a borrower in.
  if (policy[side].fields.some(({ path }) => path.length === 0)) return []
  const { body, secrets } = placeBorrower(policy[side])
  try {
    const output = await rewrite(Buffer.from(body))
    const texts = [output, ...textsOf(readJson(output))]
    const seen = secrets.filter((secret) => texts.some((text) => text.includes(secret)))
    return seen.length === 0 ? [] : [`the ${side} lets ${seen.length} values of the borrower out`]
  } catch (error) {
    if (!(error instanceof Problem) || error.slug === 'internal') throw error
    return error.slug === 'leak-detected' ? [`the ${side} is stopped by the leak guard`] : []
  }
}

/** Runs the worked examples of a policy through the engine that relays, on keys that are thrown away. @module */
import { Problem } from '../../base/problem.ts'
import type { Spot } from '../../base/diagnostic.ts'
import { startTranscoder } from '../transform/charset.ts'
import type { CompiledRoute } from '../transform/compile.ts'
import { type BodyFormat, readFormat } from '../transform/format.ts'
import { rewriteBody } from '../transform/rewrite.ts'
import { readTree } from '../transform/tree.ts'
import type { Binding, TransformTable } from '../transform/transform.ts'
import { compareBody, type Left, textsOf } from './expectation.ts'
import type { Policy, PolicyTest } from './policy.ts'
import { type Mint, sampleMessage } from './sample.ts'

/** What one example came to; no failures means that it passed. */
export interface TestOutcome {
  readonly test: PolicyTest
  readonly failures: readonly TestFailure[]
}

export interface TestFailure {
  readonly at: Spot
  readonly message: string
}

export type Side = 'request' | 'response'

/** The last look at what leaves. @throws {Problem} `leak-detected` */
export type InspectSide = (policy: Policy, side: Side, body: Uint8Array, format: BodyFormat) => void

/**
 * Runs all tests of a policy. `route` and `table` belong together; samples leave nothing behind in
 * a table without effects.
 */
export async function runPolicyTests(
  policy: Policy,
  route: CompiledRoute,
  table: TransformTable,
  inspect: InspectSide = () => {},
): Promise<readonly TestOutcome[]> {
  const outcomes: TestOutcome[] = []
  for (const test of policy.tests) {
    const failures: TestFailure[] = []
    for (const side of ['request', 'response'] as const) {
      const sample = test[side]
      if (sample === undefined) continue
      const dialect = policy[side].body
      const rewrite = async () => {
        const mint = mintFor(policy, table, side)
        const { body, contentType } = sampleMessage(sample, dialect, mint)
        const format = readFormat(contentType, dialect)
        const { bytes } = await rewriteBody(route[side], body, format)
        inspect(policy, side, bytes, format)
        return leftOf(bytes, format)
      }
      failures.push(...(await runSide(test, side, rewrite)))
    }
    outcomes.push({ test, failures })
  }
  return outcomes
}

async function runSide(
  test: PolicyTest,
  side: Side,
  rewrite: () => Promise<Left>,
): Promise<readonly TestFailure[]> {
  const failures: TestFailure[] = []
  const tell = (at: Spot, message: string) => void failures.push({ at, message })
  let left: Left
  try {
    left = await rewrite()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const reason = `${error.slug}: ${error.message}`
    if (test.refused === undefined) tell(test.at, `the ${side} was refused: ${reason}`)
    else if (!reason.includes(test.refused))
      tell(test.at, `it was refused for another reason: ${reason}`)
    return failures
  }
  if (test.refused !== undefined) tell(test.at, `the ${side} should have been refused and was not`)
  const expected = side === 'request' ? test.relayed : test.answered
  if (expected !== undefined) compareBody(expected, left, tell)
  const texts = [left.text, ...textsOf(left.tree)]
  for (const [index, never] of test.never.entries()) {
    if (!texts.some((text) => text.includes(never))) continue
    tell(test.at, `text ${index + 1} of \`never\` leaves with the ${side}`)
  }
  return failures
}

/** What left, as it reads. */
export function leftOf(bytes: Buffer, format: BodyFormat): Left {
  const text = startTranscoder(format.charset).decode(bytes, true).toString()
  return { text, tree: readTree(bytes, format), isJson: format.name === 'json' }
}

/** Makes tokens that the receiver of this message once gave to its sender, in the policy's purpose. */
export function mintFor(policy: Policy, table: TransformTable, side: Side): Mint {
  const [from, to] = side === 'request' ? [policy.to, policy.from] : [policy.from, policy.to]
  return (kind, value) => {
    const binding: Binding = { from, to, purpose: policy.purpose, kind, direction: 'request' }
    const complaints: string[] = []
    const tokenize = table.get('tokenize')?.(
      { transform: 'tokenize', with: { tokenize: 'opaque' } },
      binding,
      (message) => void complaints.push(message),
    )
    const change = tokenize?.({ type: 'string', reveal: () => value })
    if (change?.change !== 'token')
      throw new Problem('internal', `no sample token: ${complaints.join(', ')}`)
    return change.text()
  }
}

/** How the rows of a recorded body are told apart: as the policy said that decided it. @module */
import { createReport } from '../base/diagnostic.ts'
import type { PolicyOf } from '../evidence/policy-archive.ts'
import type { TreeName } from '../evidence/rows/opened.ts'
import { parsePolicy } from '../gateway/policy/parse.ts'
import { createRehearsal } from '../gateway/policy/rehearsal.ts'
import { type RowForm, rowFormOf } from '../gateway/stream/rows-of.ts'
import { fail } from './config.ts'

/** @param payload of the record. */
export function rowFormFor(
  policyOf: PolicyOf,
  payload: Readonly<Record<string, unknown>>,
  tree: TreeName,
): RowForm {
  const side = tree.startsWith('request') ? 'request' : 'response'
  const { digest } = payload['policy'] as { digest: string }
  const { mediaType } = payload[side] as { mediaType: string }
  const bytes = policyOf(digest.slice('sha256:'.length))
  if (bytes === undefined) fail(`the policy ${digest} is not in the archive`)
  const text = Buffer.from(bytes).toString('utf8')
  const transforms = new Set(createRehearsal(undefined).keys())
  const policy = parsePolicy(createReport(), digest, text, { transforms })
  if (policy === undefined) fail(`the policy ${digest} cannot be read by this version`)
  return rowFormOf(mediaType, policy[side].body)
}

/** A policy version that is only being watched: decides live traffic again, and lets nothing out. @module */
import { Problem } from '../base/problem.ts'
import type { ManifestEntry } from '../evidence/record.ts'
import type { Exchange } from './exchange.ts'
import { prepareAnswer, prepareRequest, type StagePorts } from './http/stages.ts'
import type { RuleCounters } from './policy/counters.ts'

/**
 * Decides a finished exchange by the route's shadow version, when it has one, the whole way that the
 * version in force went. What comes out is thrown away; rule ids and counts stay.
 */
export async function watchShadow(
  ports: StagePorts,
  exchange: Exchange,
  counters: RuleCounters,
): Promise<void> {
  const { route, rewritten, answer, inbound, request, response, rid, receivedUs } = exchange
  const shadow = route?.shadow
  if (shadow === undefined || exchange.body === undefined) return
  const { head, target, caller, recipient, body, plain, inner, answerInner } = exchange
  if (!head || !target || !caller || !recipient) return
  const opened = { ...(plain && { plain }), ...(inner && { inner }), ...(answerInner && { answerInner }) } // prettier-ignore
  const known = { head, target, caller, recipient, body, ...opened }
  const twin: Exchange = { rid, receivedUs, request, response, ...known, route: shadow }
  let slug: string | undefined
  try {
    await prepareRequest(ports, twin)
    if (inbound !== undefined) await prepareAnswer(ports, twin, inbound)
  } catch (error) {
    if (!(error instanceof Problem) || error.slug === 'internal') throw error
    slug = error.slug
  }
  counters.count(shadow.policy, manifestOf(twin))
  const mine = effectOf(rewritten?.manifest) + effectOf(answer?.manifest)
  const its = effectOf(twin.rewritten?.manifest) + effectOf(twin.answer?.manifest)
  if (slug !== undefined && exchange.problem === undefined) counters.differ(shadow.policy, slug)
  else if (mine !== its) counters.differ(shadow.policy)
}

/** What the rules did in both directions. */
export function manifestOf({ rewritten, answer }: Exchange): readonly ManifestEntry[] {
  return [...(rewritten?.manifest ?? []), ...(answer?.manifest ?? [])]
}

/** Rule ids differ between versions: what counts is what happens where. */
function effectOf(manifest: readonly ManifestEntry[] = []): string {
  return manifest
    .map(({ path, action, kind, count }) => JSON.stringify([path, action, kind, count]))
    .toSorted()
    .join()
}

/** A policy version that is only being watched: decides live traffic again, and lets nothing out. @module */
import { Problem } from '../base/problem.ts'
import type { ManifestEntry } from '../evidence/record.ts'
import type { Exchange, Inbound } from './exchange.ts'
import { checkConsent } from './http/consent.ts'
import { answerFrameOf, frameOf, type ScreenPorts, wayOf } from './http/long.ts'
import { prepareAnswer, prepareRequest } from './http/stages.ts'
import type { RuleCounters } from './policy/counters.ts'
import type { Twin } from './stream/twin.ts'

/** An exchange as the shadow version decides it. */
type Shadowed = Exchange & { manifest: ManifestEntry[] }

/**
 * Decides a finished exchange by the route's shadow version, when it has one, the whole way that the
 * version in force went; long bodies were decided on their way (see stream/twin.ts). What comes out is
 * thrown away; rule ids and counts stay.
 */
export async function watchShadow(
  ports: ScreenPorts,
  exchange: Exchange,
  counters: RuleCounters,
): Promise<void> {
  const { route, inbound, request, response, method, rid, receivedUs } = exchange
  const shadow = route?.shadow
  const { head, target, caller, recipient, body, plain, inner, answerInner } = exchange
  if (shadow === undefined || !head || !target || !caller || !recipient) return
  if (body === undefined && exchange.long === undefined) return
  if (isUnseen(exchange)) {
    counters.miss(shadow.policy)
    return
  }
  const opened = { ...(body && { body }), ...(plain && { plain }), ...(inner && { inner }), ...(answerInner && { answerInner }) } // prettier-ignore
  const known = { head, target, caller, recipient, ...opened }
  const its: Shadowed = {
    rid,
    receivedUs,
    request,
    response,
    method,
    ...known,
    route: shadow,
    manifest: [],
  }
  let slug: string | undefined
  try {
    await decideRequest(ports, its, exchange)
    if (inbound !== undefined) await decideAnswer(ports, its, exchange, inbound)
  } catch (error) {
    if (!(error instanceof Problem) || error.slug === 'internal') throw error
    slug = error.slug
  }
  counters.count(shadow.policy, its.manifest)
  if (slug !== undefined && exchange.problem === undefined) counters.differ(shadow.policy, slug)
  else if (effectOf(manifestOf(exchange)) !== effectOf(its.manifest)) counters.differ(shadow.policy)
}

/** The version in force refused a long body before it was read. */
function isUnseen({ long, twin, inbound, answerTwin }: Exchange): boolean {
  if (long !== undefined && twin === undefined) return true
  return inbound?.long !== undefined && answerTwin === undefined
}

async function decideRequest(
  ports: ScreenPorts,
  its: Shadowed,
  { twin, long }: Exchange,
): Promise<void> {
  const { route, head } = its
  if (twin === undefined || long === undefined) {
    await prepareRequest(ports, its)
    its.manifest.push(...(its.rewritten?.manifest ?? []))
    return
  }
  if (!route || !head) throw new Problem('internal', '')
  const { manifest } = await frameOf(ports, its, wayOf(ports, route, 'request', head, long))
  its.manifest.push(...manifest, ...takenBy(twin))
  if (twin.whole() && route.policy.legal.consent !== undefined) {
    const nowMs = Number(ports.clock.wallUs() / 1000n)
    checkConsent(route.policy, twin.traces().captured.get('legal.consent'), nowMs)
  }
}

async function decideAnswer(
  ports: ScreenPorts,
  its: Shadowed,
  { answerTwin }: Exchange,
  inbound: Inbound,
): Promise<void> {
  const { route } = its
  const { long, head } = inbound
  if (answerTwin === undefined || long === undefined) {
    await prepareAnswer(ports, its, inbound)
    its.manifest.push(...(its.answer?.manifest ?? []))
    return
  }
  if (!route) throw new Problem('internal', '')
  const way = wayOf(ports, route, 'response', head, long)
  const { manifest } = await answerFrameOf(ports, route, head, way)
  its.manifest.push(...manifest, ...takenBy(answerTwin))
}

/** @throws what stopped it. */
function takenBy(twin: Twin): readonly ManifestEntry[] {
  if (twin.stopped() !== undefined) throw twin.stopped()
  return twin.traces().manifest
}

/** What the rules did in both directions. */
export function manifestOf(exchange: Exchange): readonly ManifestEntry[] {
  const { rewritten, answer, frame, passage, answerFrame, answerPassage } = exchange
  const traces = [
    rewritten,
    frame,
    passage?.facts(''),
    answer,
    answerFrame,
    answerPassage?.facts('r:'),
  ]
  return traces.flatMap((each) => each?.manifest ?? [])
}

/** Rule ids differ between versions: what counts is what happens where. */
function effectOf(manifest: readonly ManifestEntry[] = []): string {
  return manifest
    .map(({ path, action, kind, count }) => JSON.stringify([path, action, kind, count]))
    .toSorted()
    .join()
}

/** Which long bodies are taken, and what decides about them. @module */
import { Problem } from '../../base/problem.ts'
import type { Exchange, LongBody } from '../exchange.ts'
import type { Policy } from '../policy/policy.ts'
import type { Route } from '../route.ts'
import type { ScreenOptions } from '../stream/screen.ts'
import { startTwin, type Twin } from '../stream/twin.ts'
import type { BodyGuard } from '../stream/window.ts'
import { type BodyFormat, formatType, readFormat, writeContentType } from '../transform/format.ts'
import { rewriteHeaders, type RewrittenHeaders } from '../transform/rewrite.ts'
import type { Head } from './headers.ts'
import type { RelayLimits } from './limits.ts'
import { codingOf, endToEnd, type RequestFrame, rewriteFrame, type StagePorts } from './stages.ts'

/** What the decision about a long body needs of the rest of the gateway. */
export type ScreenPorts = StagePorts & { readonly limits: RelayLimits }

/** One long body, as a route decides it. */
export interface LongWay extends ScreenOptions {
  readonly contentType: string
}

/**
 * Makes ready what decides about a long body.
 *
 * @throws {Problem} `body-too-large` when a body must be short, saying why; `media-type-unsupported`.
 */
export function wayOf(
  ports: ScreenPorts,
  { policy, compiled }: Route,
  direction: 'request' | 'response',
  head: Head,
  body: LongBody,
): LongWay {
  const rules = compiled[direction]
  const format = readFormat(head.get('content-type') ?? '', rules.dialect)
  requireLong(ports.limits, policy, direction, body)
  const guard = guardOf(ports, policy, direction, format)
  return { rules, format, guard, contentType: writeContentType(format) }
}

/** The same for the version that is only being watched, if there is one. */
export function twinOf(
  ports: ScreenPorts,
  { route }: Exchange,
  direction: 'request' | 'response',
  head: Head,
  body: LongBody,
): Twin | undefined {
  const shadow = route?.shadow
  return shadow && startTwin(() => wayOf(ports, shadow, direction, head, body))
}

function requireLong(
  { BODY_BYTES_MAX, STREAM_BYTES_MAX }: RelayLimits,
  policy: Policy,
  direction: 'request' | 'response',
  { length }: LongBody,
): void {
  const short = `expected at most ${BODY_BYTES_MAX} bytes`
  if (policy[direction].envelope !== undefined) {
    throw new Problem('body-too-large', `${short} in an envelope, which is opened whole: send less at a time, or agree on a route without one`) // prettier-ignore
  }
  if (length !== undefined && length > STREAM_BYTES_MAX) {
    throw new Problem(
      'body-too-large',
      `expected at most ${STREAM_BYTES_MAX} bytes: split the body`,
    )
  }
}

/**
 * The most bytes that a request's body may have, as far as its head tells.
 *
 * @throws {Problem} `media-type-unsupported`
 */
export function sizeMaxOf(limits: RelayLimits, { policy, compiled }: Route, head: Head): number {
  codingOf(head)
  // What is in an envelope is known once it is open.
  if (policy.request.envelope === undefined)
    readFormat(head.get('content-type') ?? '', compiled.request.dialect)
  return routeSizeMax(limits, policy)
}

/** The most bytes that a request's body may have on a route. */
export function routeSizeMax(limits: RelayLimits, { request }: Policy): number {
  return request.envelope === undefined ? limits.STREAM_BYTES_MAX : limits.BODY_BYTES_MAX
}

/** What leaves of a request besides its long body, rewritten and seen by the guard. */
export async function frameOf(
  ports: StagePorts,
  exchange: Exchange,
  { contentType }: LongWay,
): Promise<RequestFrame> {
  const { route } = exchange
  if (!route) throw new Problem('internal', '')
  const frame = await rewriteFrame(exchange)
  const headers = [...frame.headers, ['content-type', contentType]] as const
  ports.guard(route.policy, 'request', { ...frame, headers, body: NOTHING, mediaType: '' })
  return frame
}

/** The same for an answer. */
export async function answerFrameOf(
  ports: StagePorts,
  { policy, compiled }: Route,
  head: Head,
  { contentType }: LongWay,
): Promise<RewrittenHeaders> {
  const frame = await rewriteHeaders(compiled.response, endToEnd(head))
  const headers = [...frame.headers, ['content-type', contentType]] as const
  ports.guard(policy, 'response', { headers, path: '', query: '', body: NOTHING, mediaType: '' })
  return frame
}

const NOTHING = Buffer.alloc(0)

/** The guard for parts of a body. */
export function guardOf(
  ports: Pick<StagePorts, 'guard'>,
  policy: Policy,
  direction: 'request' | 'response',
  format: BodyFormat,
): BodyGuard {
  // Several rows of JSON are read as NDJSON, whatever the media type says.
  const isLines = formatType(format).rows === 'json'
  const mediaType = writeContentType(
    isLines ? { ...format, mediaType: 'application/x-ndjson' } : format,
  )
  const head = { headers: [], path: '', query: '', mediaType }
  return (body, part) => ports.guard(policy, direction, { ...head, body, ...part })
}

/** Says of a request that was stopped under way how much of it the recipient has. */
export function released(exchange: Exchange, problem: Problem): Problem {
  const { passage, sentUs, cutOff } = exchange
  if (passage === undefined || sentUs === undefined) return problem
  if (passage.whole() && cutOff !== true) return problem
  const { rows, forwarded: bytes } = passage.progress()
  const detail = `${problem.message}; ${rows} rows, ${bytes} bytes had left for the recipient, whose copy is void`
  return new Problem(problem.slug, detail, {
    cause: problem,
    members: { released: { rows, bytes } },
  })
}

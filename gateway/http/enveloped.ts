/** Opens and seals the bodies of one exchange in the envelopes that its policy names. @module */
import { Problem } from '../../base/problem.ts'
import type { Envelopes } from '../envelope/envelope.ts'
import { type Inner, openMessage, sealMessage } from '../envelope/stage.ts'
import type { Exchange, Inbound } from '../exchange.ts'
import { ACCEPT } from './compose.ts'

/** The envelopes of sealgate.yaml. */
export interface EnvelopePorts {
  readonly envelopes: Envelopes
}

/** A body and its media type. */
interface PlainBody {
  readonly contentType: string
  readonly body: Buffer
}

/** The request as the policy sees it. */
export async function openRequest(ports: EnvelopePorts, exchange: Exchange): Promise<Inner> {
  const { head, route, request, plain } = exchange
  const body = plain ?? exchange.body
  if (!head || !route || !body) throw new Problem('internal', '')
  const name = route.policy.request.envelope?.open
  const line = { method: request.method ?? '', path: request.url ?? '' }
  exchange.inner =
    name === undefined
      ? { head, body }
      : await openMessage(ports.envelopes, name, { head, body, line }, exchange.inner)
  return exchange.inner
}

/** The request as it leaves, after the guard saw what is inside. */
export async function sealRequest(
  ports: EnvelopePorts,
  exchange: Exchange,
  out: {
    readonly method: string
    readonly base: URL
    readonly path: string
    readonly query: string
    readonly headers: readonly (readonly [string, string])[]
    readonly contentType: string
    readonly body: Buffer
  },
) {
  const { headers, contentType, body, method } = out
  const name = exchange.route?.policy.request.envelope?.seal
  if (name === undefined) return { headers, contentType, body }
  const base = out.base.pathname === '/' ? '' : out.base.pathname
  const path = base + out.path + (out.query === '' ? '' : `?${out.query}`)
  const head = new Map([['accept', ACCEPT], ...headers])
  const sealed = await sealMessage(ports.envelopes, name, out, { line: { method, path }, head })
  exchange.sealed = sealed.facts
  return {
    headers: [...headers, ...sealed.headers],
    contentType: sealed.mediaType,
    body: sealed.body,
  }
}

/** The answer as the policy sees it. */
export async function openAnswer(
  ports: EnvelopePorts,
  exchange: Exchange,
  { status, head, ...came }: Inbound,
): Promise<Inner> {
  const body = came.plain ?? came.body
  const name = exchange.route?.policy.response.envelope?.open
  // RFC 9110 §6.4.1: these have no body, so there is nothing to open.
  const isBodiless = status === 204 || status === 304 || exchange.method === 'HEAD'
  exchange.answerInner =
    name === undefined || (isBodiless && body.length === 0)
      ? { head, body }
      : await openMessage(ports.envelopes, name, { head, body }, exchange.answerInner)
  return exchange.answerInner
}

/** The answer as it leaves, after the guard saw what is inside. */
export async function sealAnswer(
  ports: EnvelopePorts,
  exchange: Exchange,
  plain: PlainBody,
): Promise<PlainBody> {
  const name = exchange.route?.policy.response.envelope?.seal
  if (name === undefined || plain.body.length === 0) {
    exchange.answerOut = { body: plain.body }
    return plain
  }
  const { body, mediaType, facts } = await sealMessage(ports.envelopes, name, plain)
  exchange.answerOut = { body, envelope: facts }
  return { contentType: mediaType, body }
}

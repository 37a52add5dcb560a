/** The stages that decide what leaves, in either direction. @module */
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import type { Envelopes } from '../envelope/envelope.ts'
import { readInside } from '../envelope/stage.ts'
import type { Exchange, Inbound } from '../exchange.ts'
import type { BodyDialect } from '../policy/body.ts'
import type { Policy } from '../policy/policy.ts'
import type { MessageSigner } from '../signature/sign.ts'
import type { CompiledDirection } from '../transform/compile.ts'
import { type BodyFormat, JSON_FORMAT, readFormat, writeContentType } from '../transform/format.ts'
import { rewriteBody, rewriteHeaders, rewritePath, rewriteQuery } from '../transform/rewrite.ts'
import type { Rewritten, Traces } from '../transform/transform.ts'
import { acceptedCodings, type Coding, encodeWhole, readCoding } from '../stream/coding.ts'
import { composeRequest, type Envelope } from './compose.ts'
import { checkConsent } from './consent.ts'
import { openAnswer, openRequest, sealAnswer, sealRequest } from './enveloped.ts'
import { type Head, isEndToEnd } from './headers.ts'

/** One outbound message as the leak guard sees it; the gateway's own headers are not in it. */
export interface Message {
  readonly headers: Iterable<readonly [string, string]>
  readonly path: string
  readonly query: string
  readonly body: Uint8Array
  /** With its parameters; empty when there is no body. */
  readonly mediaType: string
  /** How a part of a long body is written; the policy's own dialect otherwise. */
  readonly dialect?: BodyDialect | undefined
}

/** What the stages need of the rest of the gateway. */
export interface StagePorts {
  readonly clock: Clock
  /** @throws {Problem} `leak-detected` */
  readonly guard: (policy: Policy, direction: 'request' | 'response', message: Message) => void
  readonly signer: MessageSigner
  readonly envelopes: Envelopes
  /** Turns a link's value into its pseudonym. */
  readonly pseudonym: (name: string, value: string) => string
}

/** Who signs what is sent: a secret that the recipient shares, or the gateway's own key. */
export function signerFor({ signer }: Pick<StagePorts, 'signer'>, { recipient }: Exchange) {
  return recipient?.signer ?? signer
}

const NO_BODY: Rewritten = {
  bytes: Buffer.alloc(0),
  manifest: [],
  unnamed: 0,
  claims: [],
  captured: new Map(),
}

/** What leaves of a request besides its body, rewritten. */
export interface RequestFrame extends Traces {
  readonly path: string
  readonly query: string
  readonly headers: readonly (readonly [string, string])[]
}

/** Rewrites path, query and headers. */
export async function rewriteFrame({ head, target, route }: Exchange): Promise<RequestFrame> {
  if (!head || !target || !route) throw new Problem('internal', '')
  const rules = route.compiled.request
  const path = await rewritePath(rules, target.path)
  const query = await rewriteQuery(rules, target.query ?? '')
  const { headers, ...traces } = await rewriteHeaders(rules, endToEnd(head))
  return { path: path.text, query: query.text, headers, ...joinTraces([path, query, traces]) }
}

/**
 * Rewrites the request and makes it ready for the wire.
 *
 * @returns link name → pseudonym.
 */
export async function prepareRequest(
  ports: StagePorts,
  exchange: Exchange,
): Promise<Readonly<Record<string, string>>> {
  const { route } = exchange
  if (!route) throw new Problem('internal', '')
  const { policy, compiled } = route
  const inner = await openRequest(ports, exchange)
  const { head, body } = inner
  const format = formatOf(head, body, compiled.request)
  const rewritten =
    body.length === 0
      ? NO_BODY
      : await readInside(inner, () => rewriteBody(compiled.request, body, format))
  const nowMs = Number(ports.clock.wallUs() / 1000n)
  if (policy.legal.consent !== undefined) {
    checkConsent(policy, rewritten.captured.get('legal.consent'), nowMs)
  }
  const frame = await rewriteFrame(exchange)
  const contentType = rewritten.bytes.length === 0 ? '' : writeContentType(format)
  ports.guard(policy, 'request', {
    ...frame,
    headers: [...frame.headers, ['content-type', contentType]],
    body: rewritten.bytes,
    mediaType: contentType,
  })
  exchange.rewritten = { ...rewritten, ...joinTraces([frame, rewritten]) }
  const envelope = envelopeOf(ports, exchange, frame)
  const plain = { ...envelope, contentType, body: rewritten.bytes }
  const sealed = await sealRequest(ports, exchange, plain)
  const coding = exchange.plain === undefined ? undefined : codingOf(head)
  const coded = coding === undefined ? sealed.body : await encodeWhole(coding, sealed.body)
  exchange.outbound = composeRequest(signerFor(ports, exchange), {
    ...envelope,
    ...sealed,
    coding,
    body: coded,
  })
  return linksOf(ports, rewritten.captured)
}

/** All of an envelope that does not depend on the body. */
export function envelopeOf(
  { clock }: StagePorts,
  { head, recipient, method, rid }: Exchange,
  { path, query, headers }: RequestFrame,
): Omit<Envelope, 'contentType' | 'coding' | 'body'> {
  if (!head || !recipient?.base) throw new Problem('internal', '')
  return {
    method,
    base: recipient.base,
    path,
    query,
    headers,
    accepts: acceptedCodings(head.get('accept-encoding')),
    rid,
    nowS: Number(clock.wallUs() / 1_000_000n),
  }
}

/** What goes back to the caller. */
export interface Answer {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly contentType: string
  readonly coding: Coding | undefined
  readonly body: Buffer
}

/**
 * Rewrites the recipient's answer. Whatever is wrong with it is the recipient's failure for the
 * caller, who can do nothing about it.
 *
 * @throws {Problem} `recipient-failed`
 */
export async function prepareAnswer(
  ports: StagePorts,
  exchange: Exchange,
  inbound: Inbound,
): Promise<Answer> {
  try {
    return await rewriteAnswer(ports, exchange, inbound)
  } catch (error) {
    throw recipientsFault(error)
  }
}

/** What is wrong with an answer, as the caller is told. */
export function recipientsFault(error: unknown): unknown {
  if (!(error instanceof Problem) || error.slug === 'internal') return error
  // What fails on this side of the answer is not the recipient's fault.
  const isOurs = error.status === 503 || error.slug === 'caller-gone'
  if (isOurs || error.slug === 'recipient-failed') return error
  return new Problem('recipient-failed', `its answer: ${error.message}`, { cause: error })
}

async function rewriteAnswer(
  ports: StagePorts,
  exchange: Exchange,
  inbound: Inbound,
): Promise<Answer> {
  const { route } = exchange
  const { status } = inbound
  if (!route) throw new Problem('internal', '')
  refuseRedirect(status)
  const inner = await openAnswer(ports, exchange, inbound)
  const { head, body } = inner
  const format = formatOf(head, body, route.compiled.response)
  const rewritten =
    body.length === 0
      ? NO_BODY
      : await readInside(inner, () => rewriteBody(route.compiled.response, body, format))
  const { headers, ...traces } = await rewriteHeaders(route.compiled.response, endToEnd(head))
  const contentType = rewritten.bytes.length === 0 ? '' : writeContentType(format)
  ports.guard(route.policy, 'response', {
    headers: [...headers, ['content-type', contentType]],
    path: '',
    query: '',
    body: rewritten.bytes,
    mediaType: contentType,
  })
  exchange.answer = { ...rewritten, ...joinTraces([traces, rewritten]) }
  const out = await sealAnswer(ports, exchange, { contentType, body: rewritten.bytes })
  const coding = inbound.plain === undefined ? undefined : answerCoding(exchange, head)
  if (coding === undefined) return { status, headers, ...out, coding }
  const coded = await encodeWhole(coding, out.body)
  exchange.answerOut = { ...exchange.answerOut, body: coded }
  return { status, headers, ...out, coding, body: coded }
}

/** Following one would send the data to a place that no policy names; so would passing it on. */
export function refuseRedirect(status: number): void {
  if (status >= 300 && status < 400 && status !== 304) {
    throw new Problem('recipient-failed', 'a redirect, which is not followed')
  }
}

/** The content coding of a message. @throws {Problem} `media-type-unsupported` */
export function codingOf(head: Head): Coding | undefined {
  return readCoding(head.get('content-encoding'))
}

/** The coding in which an answer goes on: the one in which it came, if the caller takes it. */
export function answerCoding({ head }: Exchange, answer: Head): Coding | undefined {
  const accepted = acceptedCodings(head?.get('accept-encoding'))
  return accepted.find((coding) => coding === codingOf(answer))
}

/** A message without a body needs no media type. */
function formatOf(head: Head, body: Buffer, { dialect }: CompiledDirection): BodyFormat {
  return body.length === 0 ? JSON_FORMAT : readFormat(head.get('content-type') ?? '', dialect)
}

/** The fields that a policy may let through. */
export function endToEnd(head: Head): (readonly [string, string])[] {
  return [...head].filter(([name]) => isEndToEnd(name, head))
}

/** Adds up what the rules did. */
export function joinTraces(parts: readonly Traces[]): Traces {
  return {
    manifest: parts.flatMap(({ manifest }) => manifest),
    unnamed: parts.reduce((sum, { unnamed }) => sum + unnamed, 0),
  }
}

/** @returns link name → pseudonym. */
export function linksOf(
  ports: StagePorts,
  captured: Rewritten['captured'],
): Readonly<Record<string, string>> {
  const links: Record<string, string> = {}
  for (const [name, value] of captured) {
    if (!name.startsWith('links.')) continue
    const link = name.slice('links.'.length)
    links[link] = ports.pseudonym(link, value.reveal())
  }
  return links
}

/** The stages that decide what leaves, in either direction. @module */
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import type { Envelopes } from '../envelope/envelope.ts'
import { readInside } from '../envelope/stage.ts'
import type { Exchange, Inbound } from '../exchange.ts'
import type { Policy } from '../policy/policy.ts'
import type { MessageSigner } from '../signature/sign.ts'
import { type BodyFormat, JSON_FORMAT, readFormat, writeContentType } from '../transform/format.ts'
import { rewriteBody, rewriteHeaders, rewritePath, rewriteQuery } from '../transform/rewrite.ts'
import type { Rewritten } from '../transform/transform.ts'
import { composeRequest } from './compose.ts'
import { checkConsent } from './consent.ts'
import { openAnswer, openRequest, sealAnswer, sealRequest } from './enveloped.ts'
import { type Head, isEndToEnd } from './headers.ts'

/** One outbound message as the leak guard sees it; the gateway's own headers are not in it. */
export interface Message {
  readonly headers: Iterable<readonly [string, string]>
  readonly path: string
  readonly query: string
  readonly body: Uint8Array
  readonly mediaType: string
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

const NO_BODY: Rewritten = {
  bytes: Buffer.alloc(0),
  manifest: [],
  unnamed: 0,
  claims: [],
  captured: new Map(),
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
  const { target, recipient, route, rid, request } = exchange
  if (!target || !recipient?.base || !route) throw new Problem('internal', '')
  const { policy, compiled } = route
  const inner = await openRequest(ports, exchange)
  const { head, body } = inner
  const format = formatOf(head, body)
  const rewritten =
    body.length === 0
      ? NO_BODY
      : await readInside(inner, () => rewriteBody(compiled.request, body, format))
  const nowMs = Number(ports.clock.wallUs() / 1000n)
  if (policy.legal.consent !== undefined) {
    checkConsent(policy, rewritten.captured.get('legal.consent'), nowMs)
  }
  const path = await rewritePath(compiled.request, target.path)
  const query = await rewriteQuery(compiled.request, target.query ?? '')
  const { headers, ...headerTraces } = await rewriteHeaders(compiled.request, endToEnd(head))
  const { bytes } = rewritten
  const contentType = bytes.length === 0 ? '' : writeContentType(format)
  ports.guard(policy, 'request', {
    headers: [...headers, ['content-type', contentType]],
    path: path.text,
    query: query.text,
    body: bytes,
    mediaType: contentType,
  })
  exchange.rewritten = { ...rewritten, ...joinTraces([path, query, headerTraces, rewritten]) }
  const parts = {
    method: request.method ?? '',
    base: recipient.base,
    path: path.text,
    query: query.text,
  }
  const sealed = await sealRequest(ports, exchange, { ...parts, headers, contentType, body: bytes })
  exchange.outbound = composeRequest(ports.signer, {
    ...parts,
    ...sealed,
    rid,
    nowS: Math.floor(nowMs / 1000),
  })
  return linksOf(ports, rewritten)
}

/** What goes back to the caller. */
export interface Answer {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly contentType: string
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
    if (!(error instanceof Problem) || error.slug === 'internal') throw error
    throw new Problem('recipient-failed', `its answer: ${error.message}`, { cause: error })
  }
}

async function rewriteAnswer(
  ports: StagePorts,
  exchange: Exchange,
  inbound: Inbound,
): Promise<Answer> {
  const { route } = exchange
  const { status, head: outerHead } = inbound
  if (!route) throw new Problem('internal', '')
  // Following it would send the data to a place that no policy names; so would passing it on.
  if (status >= 300 && status < 400 && status !== 304) {
    throw new Problem('recipient-failed', 'a redirect, which is not followed')
  }
  const coding = outerHead.get('content-encoding')
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity') {
    throw new Problem('recipient-failed', 'a content coding, which was not asked for')
  }
  const inner = await openAnswer(ports, exchange, inbound)
  const { head, body } = inner
  const format = formatOf(head, body)
  const rewritten =
    body.length === 0
      ? NO_BODY
      : await readInside(inner, () => rewriteBody(route.compiled.response, body, format))
  const { headers, ...headerTraces } = await rewriteHeaders(route.compiled.response, endToEnd(head))
  const { bytes } = rewritten
  const contentType = bytes.length === 0 ? '' : writeContentType(format)
  ports.guard(route.policy, 'response', {
    headers: [...headers, ['content-type', contentType]],
    path: '',
    query: '',
    body: bytes,
    mediaType: contentType,
  })
  exchange.answer = { ...rewritten, ...joinTraces([headerTraces, rewritten]) }
  const out = await sealAnswer(ports, exchange, { contentType, body: bytes })
  return { status, headers, ...out }
}

/** A message without a body needs no media type. */
function formatOf(head: Head, body: Buffer): BodyFormat {
  return body.length === 0 ? JSON_FORMAT : readFormat(head.get('content-type') ?? '')
}

function endToEnd(head: Head): (readonly [string, string])[] {
  return [...head].filter(([name]) => isEndToEnd(name, head))
}

/** What the rules did, over all parts of a message. */
type Traces = Pick<Rewritten, 'manifest' | 'unnamed'>

function joinTraces(parts: readonly Traces[]): Traces {
  return {
    manifest: parts.flatMap(({ manifest }) => manifest),
    unnamed: parts.reduce((sum, { unnamed }) => sum + unnamed, 0),
  }
}

function linksOf(ports: StagePorts, { captured }: Rewritten): Record<string, string> {
  const links: Record<string, string> = {}
  for (const [name, value] of captured) {
    if (!name.startsWith('links.')) continue
    const link = name.slice('links.'.length)
    links[link] = ports.pseudonym(link, value.reveal())
  }
  return links
}

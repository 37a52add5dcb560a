/** Who calls whom, under which policy, with which bytes: settled before anything is rewritten. @module */
import { Problem, type ProblemSlug } from '../../base/problem.ts'
import type { Exchange } from '../exchange.ts'
import type { Parties } from '../party/registry.ts'
import type { Route } from '../route.ts'
import { checkContentDigest } from '../signature/digest.ts'
import { decodeWhole } from '../stream/coding.ts'
import { readBody } from './body.ts'
import { checkRequestHead, type Head, readHead } from './headers.ts'
import type { RelayLimits } from './limits.ts'
import { codingOf } from './stages.ts'
import { parseTarget, type Target } from './target.ts'

/** What these stages need of the rest of the gateway. */
export interface AdmitPorts {
  readonly limits: RelayLimits
  readonly parties: Parties
  readonly match: (from: string, to: string, method: string, path: string) => Route | undefined
}

/** Reads head and target. @throws {Problem} `request-malformed` */
export function readRequest({ limits }: AdmitPorts, exchange: Exchange): Target {
  const { request, method } = exchange
  const head = readHead(request.rawHeaders, 'request-malformed')
  exchange.head = head
  checkRequestHead(head, request.httpVersion, method)
  const target = parseTarget(request.url ?? '', limits.URL_BYTES_MAX)
  exchange.target = target
  return target
}

/** Finds out who calls, from fresh credentials for this recipient. @throws {Problem} `credentials-…` */
export async function identify(
  { parties }: AdmitPorts,
  exchange: Exchange,
  recipient: string,
): Promise<void> {
  const { request, head } = exchange
  if (!head) throw new Problem('internal', '')
  exchange.caller = await parties.identify(request, head, recipient)
}

/** Finds out whom, under which policy. @throws {Problem} `recipient-unknown`, `route-unknown` */
export function admit({ parties, match }: AdmitPorts, exchange: Exchange): void {
  const { caller, target, method } = exchange
  if (!caller || !target) throw new Problem('internal', '')
  const recipient = parties.get(target.recipient)
  if (recipient?.base === undefined)
    throw new Problem('recipient-unknown', 'no party of this id is called')
  exchange.recipient = recipient
  const route = match(caller.party.id, recipient.id, method, target.path)
  if (route === undefined) throw new Problem('route-unknown', 'no policy for this method and path')
  exchange.route = route
}

/** Takes the body, from the request or from its upload: a short one whole. */
export async function receive(ports: AdmitPorts, exchange: Exchange): Promise<void> {
  const { request, response, head, upload } = exchange
  if (!head) throw new Problem('internal', '')
  if (upload === undefined && head.has('expect')) response.writeContinue()
  const body = await (upload?.body(ports.limits.BODY_BYTES_MAX) ??
    readBody(request, head, ports.limits))
  if (!Buffer.isBuffer(body)) {
    exchange.long = body
    return
  }
  const digest = head.get('content-digest')
  if (digest !== undefined) checkContentDigest(digest, body)
  const plain = await decode(ports, head, body)
  if (plain === 'long') exchange.long = { prefix: [body], rest: undefined, length: body.length }
  else {
    exchange.body = body
    if (plain !== undefined) exchange.plain = plain
  }
}

/** Undoes a content coding. @returns undefined when there is none; `long` for what is too long for memory. */
export async function decode(
  { limits }: Pick<AdmitPorts, 'limits'>,
  head: Head,
  body: Buffer,
  slug?: ProblemSlug,
): Promise<Buffer | 'long' | undefined> {
  const coding = body.length === 0 ? undefined : codingOf(head)
  if (coding === undefined) return undefined
  const bounds = { bytesMax: limits.BODY_BYTES_MAX, ratioMax: limits.CODING_RATIO_MAX }
  return (await decodeWhole(coding, body, bounds, slug)) ?? 'long'
}

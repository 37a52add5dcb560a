/** What an exchange leaves as evidence: intent, outcome, refusal. No value stands outside a claim. @module */
import { toTimestamp } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import type {
  Claim,
  EnvelopeFacts,
  Intent,
  MessageFacts,
  Outcome,
  Refusal,
} from '../../evidence/record.ts'
import { retainUntil } from '../custody.ts'
import type { Inner } from '../envelope/stage.ts'
import type { Exchange } from '../exchange.ts'
import type { Policy } from '../policy/policy.ts'
import type { Passage } from '../stream/passage.ts'
import type { Traces } from '../transform/transform.ts'
import {
  bodyClaim,
  digestClaim,
  forwardedClaim,
  headersClaim,
  insideClaims,
  plainClaims,
  urlClaim,
} from './claims.ts'
import { type Head, mediaType } from './headers.ts'

/** The route as evidence and metrics name it: the policy's template, never a path with values. */
export function routeName(policy: Policy): string {
  return `${policy.when.method} ${policy.when.path}`
}

/** @param links link name → pseudonym. */
export function intentOf(exchange: Exchange, links: Readonly<Record<string, string>>): Intent {
  const { rewritten, outbound, body, head, inner, sealed } = exchange
  if (!rewritten || !outbound || !body || !head || !inner) throw notReady()
  return {
    ...commonIntent(exchange, links),
    request: {
      method: outbound.method,
      mediaType: mediaType(head),
      ...uploadFacts(exchange),
      ...codingFacts(head, exchange.plain),
      length: body.length,
      forwardedLength: outbound.body.length,
      manifest: rewritten.manifest,
      unnamed: rewritten.unnamed,
      ...envelopesOf(inner, sealed),
      claims: [
        ...rewritten.claims,
        ...insideClaims('', inner, sealed, rewritten.bytes),
        ...headClaims(exchange),
        bodyClaim(head, body),
        ...plainClaims('', exchange.plain),
        forwardedClaim(outbound),
      ],
    },
  }
}

/** The intent of a long request. @param passage when all of it has passed already. */
export function longIntentOf(
  exchange: Exchange,
  links: Readonly<Record<string, string>>,
  passage?: Passage,
): Intent {
  const { outbound, head, frame } = exchange
  if (!outbound || !head || !frame) throw notReady()
  const { method } = outbound
  const claims = headClaims(exchange)
  const upload = uploadFacts(exchange)
  const request =
    passage === undefined
      ? { method, mediaType: mediaType(head), ...upload, streamed: true as const, claims }
      : { method, ...upload, ...passageFacts(passage, frame, head, '', claims) }
  return { ...commonIntent(exchange, links), request }
}

function commonIntent(
  exchange: Exchange,
  links: Readonly<Record<string, string>>,
): Omit<Intent, 'request'> {
  const { rid, receivedUs, caller, recipient, route } = exchange
  if (!caller || !recipient || !route) throw notReady()
  const { policy } = route
  const custody = custodyOf(exchange)
  return {
    rid,
    receivedUs,
    caller: callerOf(caller),
    recipient: recipient.id,
    route: routeName(policy),
    policy: policyOf(policy),
    purpose: policy.purpose,
    legal: {
      basis: policy.legal.basis,
      ...(policy.legal.pia === undefined ? {} : { pia: policy.legal.pia }),
    },
    links,
    ...(custody === undefined ? {} : { custody }),
  }
}

/** Until when originals are kept; undefined when they are not. */
export function custodyOf({ receivedUs, route }: Exchange): Intent['custody'] {
  const { custody, retain } = route?.policy.evidence ?? {}
  if (custody !== 'sealed' || retain === undefined) return undefined
  return { until: retainUntil(receivedUs, retain) }
}

function notReady(): Problem {
  return new Problem('internal', 'the exchange is not ready')
}

/** What is committed to before the body is known. */
function headClaims(exchange: Exchange): Claim[] {
  const { head, outbound } = exchange
  if (!head || !outbound) throw notReady()
  const signature = JSON.stringify(outbound.headers['signature'] ?? '')
  return [
    urlClaim(exchange),
    headersClaim('headers', head),
    { name: 'signature_out', json: signature },
  ]
}

/** What is known of a long body. @param prefix of claims' names: `r:` for an answer. */
function passageFacts(
  passage: Passage,
  frame: Traces,
  head: Head,
  prefix: '' | 'r:',
  claims: readonly Claim[],
): MessageFacts {
  const facts = passage.facts(prefix)
  return {
    ...facts,
    mediaType: mediaType(head),
    manifest: [...frame.manifest, ...facts.manifest],
    unnamed: frame.unnamed + facts.unnamed,
    claims: [...claims, ...facts.claims],
  }
}

/** That the body came over several requests, and when the last of it did. */
function uploadFacts({ upload }: Exchange): Pick<MessageFacts, 'upload'> {
  if (upload?.completedUs === undefined) return {}
  return { upload: { completed: toTimestamp(upload.completedUs), parts: upload.parts() } }
}

function codingFacts(head: Head, plain: Buffer | undefined): Pick<MessageFacts, 'coding'> {
  const coding = head.get('content-encoding')
  return plain === undefined || coding === undefined ? {} : { coding }
}

/** @param status what the caller is about to receive; undefined when it is gone. */
export function outcomeOf(
  exchange: Exchange,
  result: Outcome['result'],
  status: number | undefined,
  answeredUs: bigint,
): Outcome {
  const { inbound, problem, sentUs } = exchange
  return {
    result,
    ...(status === undefined ? {} : { status, answeredUs }),
    ...(problem === undefined ? {} : { problem: problem.slug }),
    ...(sentUs === undefined ? {} : { sentUs }),
    ...(inbound === undefined
      ? {}
      : { recipientStatus: inbound.status, responseReceivedUs: inbound.receivedUs }),
    ...streamedRequest(exchange),
    ...responseOf(exchange),
  }
}

/** What became of a request that was relayed while it came; nothing when none of it left. */
function streamedRequest(exchange: Exchange): Pick<Outcome, 'request' | 'links'> {
  const { passage, frame, head, outbound, sentUs, foundLinks, cutOff } = exchange
  if (!passage || !frame || !head || !outbound || sentUs === undefined) return {}
  const { method } = outbound
  const facts = { method, ...uploadFacts(exchange), ...passageFacts(passage, frame, head, '', []) }
  const request = cutOff === true ? { ...facts, void: true as const } : facts
  // One that was held back is complete in its intent, claims included.
  if (outbound.headers['content-digest'] !== undefined) {
    return cutOff === true ? { request: { ...request, claims: [] } } : {}
  }
  return {
    request: { ...request, streamed: true },
    ...(foundLinks === undefined ? {} : { links: foundLinks }),
  }
}

function responseOf(exchange: Exchange): Pick<Outcome, 'response'> {
  const { inbound, answer, answerInner, answerOut, answerPassage, answerFrame, route } = exchange
  if (inbound === undefined) return {}
  const { head, body, plain } = inbound
  const headers = headersClaim('r:headers', head)
  if (answerPassage !== undefined && answerFrame !== undefined) {
    const facts = passageFacts(answerPassage, answerFrame, head, 'r:', [headers])
    const isHeldBack = route?.policy.response.buffered === true
    return { response: { ...facts, ...(isHeldBack ? {} : { streamed: true }) } }
  }
  if (!answer || !answerInner || !answerOut) return {}
  const { bytes, manifest, unnamed, claims } = answer
  return {
    response: {
      mediaType: mediaType(head),
      ...codingFacts(head, plain),
      length: body.length,
      forwardedLength: answerOut.body.length,
      manifest,
      unnamed,
      ...envelopesOf(answerInner, answerOut.envelope),
      claims: [
        ...claims,
        ...insideClaims('r:', answerInner, answerOut.envelope, bytes),
        headers,
        digestClaim('r:body_sha256', body),
        ...plainClaims('r:', plain),
        digestClaim('r:forwarded_sha256', answerOut.body),
      ],
    },
  }
}

/** A refusal with all that was known when it was decided. */
export function refusalOf(
  exchange: Omit<Exchange, 'request' | 'response'>,
  problem: Problem,
  answeredUs: bigint,
): Refusal {
  const { rid, receivedUs, caller, target, route, body, head } = exchange
  return {
    rid,
    receivedUs,
    answeredUs,
    ...(caller === undefined ? {} : { caller: callerOf(caller) }),
    // An unknown recipient is a text of the caller's choosing; it stays in the `url` claim.
    ...(exchange.recipient === undefined ? {} : { recipient: exchange.recipient.id }),
    ...(route === undefined
      ? {}
      : { route: routeName(route.policy), policy: policyOf(route.policy) }),
    problem: problem.slug,
    status: problem.status,
    claims: [
      ...(target === undefined ? [] : [urlClaim(exchange)]),
      ...(head === undefined ? [] : [headersClaim('headers', head)]),
      ...(body === undefined ? [] : [digestClaim('body_sha256', body)]),
      ...(exchange.passage?.facts('').claims ?? []),
    ],
  }
}

function callerOf({ party, method, key }: NonNullable<Exchange['caller']>): Intent['caller'] {
  return { id: party.id, auth: method, key }
}

function policyOf({ id, version, digest }: Policy): Intent['policy'] {
  return { id, version, digest }
}

/** What a body came in and went out in. */
function envelopesOf(
  { envelope }: Inner,
  sealed: EnvelopeFacts | undefined,
): Pick<MessageFacts, 'envelopes'> {
  if (envelope === undefined && sealed === undefined) return {}
  return {
    envelopes: {
      ...(envelope === undefined ? {} : { opened: envelope.facts }),
      ...(sealed === undefined ? {} : { sealed }),
    },
  }
}

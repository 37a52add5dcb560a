/** What an exchange leaves as evidence: intent, outcome, refusal. No value stands outside a claim. @module */
import { hash } from 'node:crypto'
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
import { type Head, mediaType } from './headers.ts'

/** The route as evidence and metrics name it: the policy's template, never a path with values. */
export function routeName(policy: Policy): string {
  return `${policy.when.method} ${policy.when.path}`
}

/** @param links link name → pseudonym. */
export function intentOf(exchange: Exchange, links: Readonly<Record<string, string>>): Intent {
  const { rid, receivedUs, caller, recipient, route, rewritten, outbound, body, head } = exchange
  const { inner, sealed } = exchange
  if (!caller || !recipient || !route || !rewritten || !outbound || !body || !head || !inner) {
    throw new Problem('internal', 'the exchange is not ready')
  }
  const { policy } = route
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
    ...(policy.evidence.custody === 'sealed'
      ? { custody: { until: retainUntil(receivedUs, policy.evidence.retain) } }
      : {}),
    request: {
      method: outbound.method,
      mediaType: mediaType(head),
      length: body.length,
      forwardedLength: outbound.body.length,
      manifest: rewritten.manifest,
      unnamed: rewritten.unnamed,
      ...envelopesOf(inner, sealed),
      claims: [
        ...rewritten.claims,
        ...insideClaims('', inner, sealed, rewritten.bytes),
        urlClaim(exchange),
        headersClaim('headers', head),
        digestClaim('body_sha256', body),
        digestClaim('forwarded_sha256', outbound.body),
        { name: 'signature_out', json: JSON.stringify(outbound.headers['signature'] ?? '') },
      ],
    },
  }
}

/** @param status what the caller is about to receive; undefined when it is gone. */
export function outcomeOf(
  exchange: Exchange,
  result: Outcome['result'],
  status: number | undefined,
  answeredUs: bigint,
): Outcome {
  const { inbound, answer, answerInner, answerOut, problem, sentUs } = exchange
  return {
    result,
    ...(status === undefined ? {} : { status, answeredUs }),
    ...(problem === undefined ? {} : { problem: problem.slug }),
    ...(sentUs === undefined ? {} : { sentUs }),
    ...(inbound === undefined
      ? {}
      : { recipientStatus: inbound.status, responseReceivedUs: inbound.receivedUs }),
    ...(!inbound || !answer || !answerInner || !answerOut
      ? {}
      : {
          response: {
            mediaType: mediaType(inbound.head),
            length: inbound.body.length,
            forwardedLength: answerOut.body.length,
            manifest: answer.manifest,
            unnamed: answer.unnamed,
            ...envelopesOf(answerInner, answerOut.envelope),
            claims: [
              ...answer.claims,
              ...insideClaims('r:', answerInner, answerOut.envelope, answer.bytes),
              headersClaim('r:headers', inbound.head),
              digestClaim('r:body_sha256', inbound.body),
              digestClaim('r:forwarded_sha256', answerOut.body),
            ],
          },
        }),
  }
}

/** A refusal with all that was known when it was decided. */
export function refusalOf(exchange: Exchange, problem: Problem, answeredUs: bigint): Refusal {
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
    ],
  }
}

function callerOf({ party, method, key }: NonNullable<Exchange['caller']>): Intent['caller'] {
  return { id: party.id, auth: method, key }
}

function policyOf({ id, version, digest }: Policy): Intent['policy'] {
  return { id, version, digest }
}

function urlClaim({ target }: Exchange): Claim {
  const query = target?.query === undefined ? '' : `?${target.query}`
  return { name: 'url', json: JSON.stringify(`/${target?.recipient}${target?.path}${query}`) }
}

/** Names and values, without credentials: those must not be kept by anybody. */
function headersClaim(name: string, head: Head): Claim {
  const kept = [...head].filter(([field]) => field !== 'authorization' && field !== 'cookie')
  return { name, json: JSON.stringify(kept) }
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

/** What was inside of the envelopes; the digests of the bodies themselves are those of the wire. */
function insideClaims(
  prefix: string,
  { envelope, body }: Inner,
  sealed: EnvelopeFacts | undefined,
  forwarded: Uint8Array,
): readonly Claim[] {
  return [
    ...(envelope === undefined ? [] : [digestClaim(`${prefix}inner_sha256`, body)]),
    ...(sealed === undefined ? [] : [digestClaim(`${prefix}forwarded_inner_sha256`, forwarded)]),
  ]
}

function digestClaim(name: string, bytes: Uint8Array): Claim {
  return { name, json: `"${hash('sha256', bytes, 'base64url')}"` }
}

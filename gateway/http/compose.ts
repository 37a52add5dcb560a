/** Builds what goes out: default deny for headers, everything else set by the gateway. @module */
import type { Feed, Outbound } from '../exchange.ts'
import { contentDigest } from '../signature/digest.ts'
import type { MessageSigner, OutboundParts } from '../signature/sign.ts'
import type { Coding } from '../stream/coding.ts'
import { nextTraceparent } from './trace.ts'

/** What `composeRequest` needs besides the rewritten parts. */
export interface Envelope {
  readonly method: string
  readonly base: URL
  readonly path: string
  readonly query: string
  readonly headers: readonly (readonly [string, string])[]
  readonly contentType: string
  readonly coding: Coding | undefined
  /** Codings that the caller takes: the answer may come in one of them. */
  readonly accepts: readonly Coding[]
  readonly body: Buffer
  /** In place of `body`, one that is too long for memory. */
  readonly long?: LongContent
  readonly rid: string
  /** Seconds since the epoch. */
  readonly nowS: number
}

/** What recipients are asked for, unless a policy lets the caller's own wish pass. */
export const ACCEPT = 'application/json'

/** A long body; without length and digest it is sent as it comes, and they follow in the trailer. */
export interface LongContent {
  readonly feed: Feed
  readonly length?: number
  readonly digest?: string
}

/** Makes the outbound request, signed. The signature covers the path below the recipient's host. */
export function composeRequest(signer: MessageSigner, envelope: Envelope): Outbound {
  const { method, base, query, body, long, rid, coding } = envelope
  const headers: Record<string, string> = { host: base.host, accept: ACCEPT }
  for (const [name, value] of envelope.headers) headers[name] = value
  headers['accept-encoding'] = envelope.accepts.join(', ') || 'identity'
  headers['via'] = '1.1 sealgate' // RFC 9110 §7.6.3
  headers['evidence-id'] = rid
  headers['traceparent'] = nextTraceparent(headers['traceparent'])
  const length = long === undefined ? body.length : long.length
  const digest = long === undefined && length !== 0 ? contentDigest(body) : long?.digest
  if (length !== 0) {
    headers['content-type'] = envelope.contentType
    if (coding !== undefined) headers['content-encoding'] = coding
    if (digest !== undefined) headers['content-digest'] = digest
  }
  // RFC 9110 §6.6.2. Without a length node sends chunks.
  if (length === undefined) headers['trailer'] = 'content-digest, signature-input, signature'
  else if (length > 0 || !/^(?:GET|HEAD|OPTIONS)$/.test(method)) {
    headers['content-length'] = String(length)
  }
  const { input, signature } = signer.sign(partsOf(envelope, length !== 0, digest))
  headers['signature-input'] = input
  headers['signature'] = signature
  const path = query === '' ? envelope.path : `${envelope.path}?${query}`
  return { method, path, headers, body, ...(long === undefined ? {} : { feed: long.feed }) }
}

/** What follows a body that was sent as it came: a copy without it is no message of ours. */
export function composeTrailer(
  signer: MessageSigner,
  envelope: Envelope,
  digest: string,
): Readonly<Record<string, string>> {
  const { input, signature } = signer.sign(partsOf(envelope, true, digest), 'trailer')
  return { 'content-digest': digest, 'signature-input': input, signature }
}

function partsOf(envelope: Envelope, hasBody: boolean, digest: string | undefined): OutboundParts {
  const { method, base, path, query, coding, contentType, rid, nowS } = envelope
  return {
    method,
    authority: base.host,
    path: base.pathname === '/' ? path : base.pathname + path,
    ...(query === '' ? {} : { query }),
    evidenceId: rid,
    ...(hasBody ? { contentType } : {}),
    ...(hasBody && coding !== undefined ? { contentEncoding: coding } : {}),
    ...(digest === undefined ? {} : { contentDigest: digest }),
    created: nowS,
  }
}

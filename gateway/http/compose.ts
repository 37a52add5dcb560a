/** Builds what goes out: default deny for headers, everything else set by the gateway. @module */
import type { Outbound } from '../exchange.ts'
import { contentDigest } from '../signature/digest.ts'
import type { MessageSigner } from '../signature/sign.ts'
import { nextTraceparent } from './trace.ts'

/** What `composeRequest` needs besides the rewritten parts. */
export interface Envelope {
  readonly method: string
  readonly base: URL
  readonly path: string
  readonly query: string
  readonly headers: readonly (readonly [string, string])[]
  readonly contentType: string
  readonly body: Buffer
  readonly rid: string
  /** Seconds since the epoch. */
  readonly nowS: number
}

/** What recipients are asked for, unless a policy lets the caller's own wish pass. */
export const ACCEPT = 'application/json'

/** Makes the outbound request, signed. The signature covers the path below the recipient's host. */
export function composeRequest(signer: MessageSigner, envelope: Envelope): Outbound {
  const { method, base, query, body, rid } = envelope
  const headers: Record<string, string> = { host: base.host, accept: ACCEPT }
  for (const [name, value] of envelope.headers) headers[name] = value
  headers['accept-encoding'] = 'identity'
  headers['via'] = '1.1 sealgate' // RFC 9110 §7.6.3
  headers['evidence-id'] = rid
  headers['traceparent'] = nextTraceparent(headers['traceparent'])
  let digest: string | undefined
  if (body.length > 0) {
    digest = contentDigest(body)
    headers['content-type'] = envelope.contentType
    headers['content-digest'] = digest
  }
  if (body.length > 0 || !/^(?:GET|HEAD|OPTIONS)$/.test(method)) {
    headers['content-length'] = String(body.length)
  }
  const { input, signature } = signer.sign({
    method,
    authority: base.host,
    path: base.pathname === '/' ? envelope.path : base.pathname + envelope.path,
    ...(query === '' ? {} : { query }),
    evidenceId: rid,
    ...(digest === undefined ? {} : { contentType: envelope.contentType, contentDigest: digest }),
    created: envelope.nowS,
  })
  headers['signature-input'] = input
  headers['signature'] = signature
  return { method, path: query === '' ? envelope.path : `${envelope.path}?${query}`, headers, body }
}

/** What a record commits to of a message besides its fields: target, head, digests. @module */
import { hash } from 'node:crypto'
import type { Claim, EnvelopeFacts } from '../../evidence/record.ts'
import type { Inner } from '../envelope/stage.ts'
import type { Exchange, Outbound } from '../exchange.ts'
import { digestInBase64url } from '../signature/digest.ts'
import type { Head } from './headers.ts'

/** The target as it came. */
export function urlClaim({ target }: Pick<Exchange, 'target'>): Claim {
  const query = target?.query === undefined ? '' : `?${target.query}`
  return { name: 'url', json: JSON.stringify(`/${target?.recipient}${target?.path}${query}`) }
}

/** Names and values, without credentials: those must not be kept by anybody. */
export function headersClaim(name: string, head: Head): Claim {
  const kept = [...head].filter(([field]) => field !== 'authorization' && field !== 'cookie')
  return { name, json: JSON.stringify(kept) }
}

/** The digest of a body without its content coding, when it had one. */
export function plainClaims(prefix: '' | 'r:', plain: Buffer | undefined): Claim[] {
  return plain === undefined ? [] : [digestClaim(`${prefix}decoded_sha256`, plain)]
}

/** What was inside of the envelopes; the digests of the bodies themselves are those of the wire. */
export function insideClaims(
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

/** A request's body as it came: its own `content-digest`, if it has one, was checked when it was read. */
export function bodyClaim(head: Head, body: Buffer): Claim {
  return knownDigestClaim('body_sha256', body, head.get('content-digest'))
}

/** What left. */
export function forwardedClaim({ headers, body }: Outbound): Claim {
  return knownDigestClaim('forwarded_sha256', body, headers['content-digest'])
}

/** What a right `content-digest` says of these bytes: hashing them once more takes as long as reading them. */
function knownDigestClaim(name: string, body: Buffer, known: string | undefined): Claim {
  const digest = body.length === 0 ? undefined : digestInBase64url(known)
  return digest === undefined ? digestClaim(name, body) : { name, json: `"${digest}"` }
}

/** The SHA-256 of some bytes. */
export function digestClaim(name: string, bytes: Uint8Array): Claim {
  return { name, json: `"${hash('sha256', bytes, 'base64url')}"` }
}

/** Getting tokens from time stamping authorities, outside ones over HTTP (RFC 3161 §3.4). @module */
import { Problem } from '../../base/problem.ts'
import { type Clock, toDate } from '../../base/clock.ts'
import type { Identity } from '../x509-identity.ts'
import { keySigner } from '../x509-issue.ts'
import { createTimestampAuthority } from './authority.ts'
import { fetchBounded } from './fetch.ts'
import { encodeRequest, makeRequest } from './request.ts'
import type { RevocationSource } from './revocation.ts'
import { type DigestName, RESPONSE_BYTES_MAX } from './token.ts'
import { digest, type Imprint, type TimestampResult, verifyResponseImprint } from './verify.ts'

const TSA_TIMEOUT_MS = 10_000
/** A token whose time is further from our clock than this is not taken: one of the two is wrong. */
const CLOCK_DISTANCE_MS = 300_000

/** An authority that can be asked. */
export interface TimestampSource {
  /** Names its files: lower-case letters, digits, `-` and `.`. */
  readonly name: string
  readonly roots: readonly Uint8Array[]
  /** Object identifier of the policy to ask for; any when absent. */
  readonly policy?: string
  /** Gives the revocation lists of a path; revocation is not looked at without it. */
  readonly revocation?: RevocationSource
  /** Sends a request and returns the response, both DER. */
  send(request: Uint8Array): Promise<Uint8Array>
}

/** A token that was checked, with the bytes to keep. */
export interface Stamp {
  /** Exactly what the authority sent: re-encoding would break renewal. */
  readonly response: Uint8Array
  readonly result: TimestampResult
  /** By which its path was judged, DER; to be kept with it. */
  readonly revocationLists: readonly Uint8Array[]
}

/** Gets one token over data: see requestDigest. */
export async function requestTimestamp(
  source: TimestampSource,
  data: Uint8Array,
  clock: Clock,
): Promise<Stamp> {
  return requestDigest(source, 'SHA-256', await digest('SHA-256', data), clock)
}

/**
 * Gets one token over a digest and checks everything about it.
 *
 * @throws {Problem} `timestamp-unavailable` when the authority does not answer, refuses, or answers
 *   with a token that is not valid.
 */
export async function requestDigest(
  source: TimestampSource,
  name: DigestName,
  value: Uint8Array,
  clock: Clock,
): Promise<Stamp> {
  const request = makeRequest(name, value, source.policy)
  const response = await source.send(encodeRequest(request))
  const { nonce } = request
  const imprint: Imprint = async (used) => (used === name ? value : undefined)
  const trust = {
    roots: source.roots,
    ...(nonce === undefined ? {} : { nonce }),
    ...(source.policy === undefined ? {} : { policy: source.policy }),
  }
  const first = await verifyResponseImprint(response, imprint, trust)
  // Only a path that leads to a trusted root says where to fetch from.
  const revocationLists = first.valid ? ((await source.revocation?.(first.chain)) ?? []) : []
  const result =
    revocationLists.length === 0
      ? first
      : await verifyResponseImprint(response, imprint, { ...trust, revocationLists })
  const now = toDate(clock.wallUs()).getTime()
  const distance = Math.abs((result.info?.time.getTime() ?? now) - now)
  const reasons = [
    ...result.reasons,
    ...(distance > CLOCK_DISTANCE_MS ? [`its time is ${Math.round(distance / 1000)} s off`] : []),
  ]
  if (reasons.length > 0) {
    throw new Problem('timestamp-unavailable', `\`${source.name}\`: ${reasons.join('; ')}`)
  }
  return { response, result, revocationLists }
}

/** An outside authority. @param url http or https; the token itself is signed. */
export function httpSource(
  url: string,
  trust: Pick<TimestampSource, 'roots' | 'policy' | 'revocation'>,
): TimestampSource {
  const { host, pathname } = new URL(url)
  const name = `${host}${pathname}`
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/-$/, '')
  return { name, ...trust, send: (request) => post(url, name, request) }
}

/** The embedded authority of development. */
export function embeddedSource(identity: Identity, clock: Clock): TimestampSource {
  return {
    name: 'embedded',
    roots: identity.chainDer.slice(-1),
    send: createTimestampAuthority({ ...identity, signer: keySigner(identity.privateKey), clock }),
  }
}

async function post(url: string, name: string, request: Uint8Array): Promise<Uint8Array> {
  const fail = (why: string, cause?: unknown): Problem =>
    new Problem('timestamp-unavailable', `\`${name}\`: ${why}`, { cause })
  const headers = { 'content-type': 'application/timestamp-query' }
  const limits = { timeoutMs: TSA_TIMEOUT_MS, bytesMax: RESPONSE_BYTES_MAX }
  const query = { method: 'POST', headers, body: Buffer.from(request) }
  const { status, type, bytes } = await fetchBounded(url, query, limits, fail)
  if (status === 200 && type === 'application/timestamp-reply') return bytes
  throw fail(`status ${status}, expected 200 with application/timestamp-reply`)
}

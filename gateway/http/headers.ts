/** Message heads: read once from the raw list, strict where two readers could disagree. @module */
import { Problem, type ProblemSlug } from '../../base/problem.ts'

/** Field name in lower case → value; repeated fields are joined with `, ` (RFC 9110 §5.3). */
export type Head = ReadonlyMap<string, string>

/** Fields of one connection, never passed on (RFC 9110 §7.6.1), and framing, which is set anew. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Fields that the gateway alone sets, or that would tie the two parties together. */
const RESERVED: ReadonlySet<string> = new Set([
  'authorization',
  'content-digest',
  'content-encoding',
  'content-type',
  'cookie',
  'evidence-id',
  'location',
  'repr-digest',
  'set-cookie',
  'signature',
  'signature-input',
  'upload-complete',
  'upload-draft-interop-version',
  'upload-length',
  'upload-limit',
  'upload-offset',
  'via',
])

/** Fields of which a second copy lets two readers see two messages. */
const SINGLETONS: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'traceparent',
  'transfer-encoding',
  'upload-complete',
  'upload-length',
  'upload-offset',
])

/**
 * Reads `rawHeaders`, which is what came over the wire: node's own `headers` drops duplicates.
 *
 * @throws {Problem} `slug` when a field that may stand once stands twice.
 */
export function readHead(rawHeaders: readonly string[], slug: ProblemSlug): Head {
  const head = new Map<string, string>()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    const value = rawHeaders[i + 1] ?? ''
    const earlier = head.get(name)
    if (earlier === undefined) head.set(name, value)
    else if (SINGLETONS.has(name)) throw new Problem(slug, `header \`${name}\` stands twice`)
    else head.set(name, `${earlier}, ${value}`)
  }
  return head
}

/** Whether a policy may let this field through, given what `Connection` names. */
export function isEndToEnd(name: string, head: Head): boolean {
  if (HOP_BY_HOP.has(name) || RESERVED.has(name)) return false
  const connection = head.get('connection')
  return connection === undefined || !listTokens(connection).includes(name)
}

/** The lower-case members of a comma-separated list field. */
export function listTokens(value: string): readonly string[] {
  return value
    .split(',')
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== '')
}

/** The token of an `Authorization: Bearer …` (RFC 6750 §2.1). */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? '')?.[1]
}

/** The media type without parameters, lower case; empty when the field is absent. */
export function mediaType(head: Head): string {
  const value = head.get('content-type') ?? ''
  const end = value.indexOf(';')
  return (end === -1 ? value : value.slice(0, end)).trim().toLowerCase()
}

/**
 * Refuses heads that another reader on the way could take for a different request.
 *
 * @throws {Problem} `request-malformed`
 */
export function checkRequestHead(head: Head, httpVersion: string, method: string): void {
  if (!head.has('host')) throw malformed('header `host` is missing')
  const coding = head.get('transfer-encoding')
  if (coding !== undefined) {
    if (httpVersion !== '1.1') throw malformed('transfer codings need HTTP/1.1')
    if (coding.toLowerCase() !== 'chunked') throw malformed('expected `transfer-encoding: chunked`')
    if (head.has('content-length')) throw malformed('both `content-length` and `transfer-encoding`')
  }
  if (method === 'TRACE' || method === 'CONNECT') throw malformed(`method ${method} is not relayed`)
  const upgrade = head.get('upgrade')
  // Clients offer h2c unasked; ignoring the offer is what RFC 9110 §7.8 foresees.
  if (upgrade !== undefined && listTokens(upgrade).some((token) => token !== 'h2c')) {
    throw malformed('protocol upgrades are not relayed')
  }
  const expect = head.get('expect')
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw malformed('expected `expect: 100-continue` or no such header')
  }
}

function malformed(detail: string): Problem {
  return new Problem('request-malformed', detail)
}

/** The request target: recipient, path, query; one spelling only. @module */
import { Problem } from '../../base/problem.ts'

/** `/harbour-bank/credit/applications?channel=app`, taken apart. */
export interface Target {
  readonly recipient: string
  /** Begins with `/`; percent-encoding as received. */
  readonly path: string
  /** Without `?`; undefined when there is none. */
  readonly query?: string
}

/** RFC 3986 pchar and `/`. What is not here must come percent-encoded. */
const PATH = /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/
const QUERY = /^[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*$/
/** Encodings that decode to `/`, `\`, `.`, NUL or another unreserved character: a second spelling. */
const SECOND_SPELLING =
  /%(?:00|2[defDEF]|3[0-9]|4[1-9a-fA-F]|5[0-9aA]|5[cfCF]|6[1-9a-fA-F]|7[0-9aAeE])/
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/

/**
 * Takes an origin-form target apart. Whatever a recipient's server could normalise into another
 * path is refused, because the policy was matched on this one.
 *
 * @throws {Problem} `request-malformed`
 */
export function parseTarget(url: string, bytesMax: number): Target {
  if (url.length > bytesMax) throw malformed(`the target is longer than ${bytesMax} bytes`)
  const mark = url.indexOf('?')
  const whole = mark === -1 ? url : url.slice(0, mark)
  const query = mark === -1 ? undefined : url.slice(mark + 1)
  if (!PATH.test(whole)) throw malformed('expected a path of RFC 3986 characters')
  if (BAD_ESCAPE.test(url)) throw malformed('a percent sign without two hex digits')
  if (SECOND_SPELLING.test(whole)) throw malformed('an escape that a plain character would spell')
  if (query !== undefined && !QUERY.test(query)) throw malformed('query with a reserved character')
  const segments = whole.split('/')
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i]
    if (segment === '.' || segment === '..') throw malformed('a dot segment in the path')
    if (segment === '' && i < segments.length - 1) throw malformed('an empty segment in the path')
  }
  const recipient = segments[1] ?? ''
  const path = whole.slice(recipient.length + 1)
  return { recipient, path: path === '' ? '/' : path, ...(query === undefined ? {} : { query }) }
}

function malformed(detail: string): Problem {
  return new Problem('request-malformed', detail)
}

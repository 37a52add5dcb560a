/** The signature base of RFC 9421 §2: what exactly a message signature covers. @module */
import { type InnerList, type Item, serializeItem, serializeParameters } from 'structured-headers'
import { Problem } from '../../base/problem.ts'

/** A message as a signature sees it; a response has `status` and none of the request's parts. */
export interface SignedMessage {
  readonly method?: string
  readonly scheme?: string
  /** Host and port as in the Host field. */
  readonly authority?: string
  readonly path?: string
  /** Without `?`; undefined when there is none. */
  readonly query?: string
  readonly status?: number
  /** A field's combined value (RFC 9421 §2.1); undefined when the field is absent. */
  field(name: string): string | undefined
}

/**
 * Builds the signature base.
 *
 * @param covered the parsed inner list of one `Signature-Input` member.
 * @throws {Problem} `credentials-invalid` for a component that the message lacks, that stands
 *   twice, or that is not supported: what cannot be rebuilt cannot be verified.
 */
export function signatureBase(message: SignedMessage, covered: InnerList): string {
  let base = ''
  const seen = new Set<string>()
  for (const component of covered[0]) {
    const identifier = identifierOf(component)
    if (seen.has(identifier)) throw invalid(`component ${identifier} stands twice`)
    seen.add(identifier)
    base += `${identifier}: ${componentValue(message, component, identifier)}\n`
  }
  return `${base}"@signature-params": (${[...seen].join(' ')})${serializeParameters(covered[1])}`
}

/** A name that needs no escapes, and no parameters, is what a component nearly always is. */
function identifierOf(component: Item): string {
  const [name, parameters] = component
  const isPlain = typeof name === 'string' && parameters.size === 0 && /^[@a-z\d-]+$/.test(name)
  return isPlain ? `"${name}"` : serializeItem(component)
}

function componentValue(message: SignedMessage, component: Item, identifier: string): string {
  const [name, parameters] = component
  if (typeof name !== 'string') throw invalid('a component that is not a string')
  if (name === '@query-param') return queryParameter(message, parameters.get('name'))
  if (parameters.size > 0) throw invalid(`the parameters of ${identifier} are not supported`)
  const value = name.startsWith('@') ? derived(message, name) : message.field(name)?.trim()
  if (value === undefined) throw invalid(`the message has no component ${identifier}`)
  return value
}

/** Derived components, RFC 9421 §2.2. */
function derived(message: SignedMessage, name: string): string | undefined {
  const { method, scheme, path, query, status } = message
  switch (name) {
    case '@method':
      return method
    case '@scheme':
      return scheme
    case '@authority':
      return normalAuthority(message)
    case '@path':
      return path
    case '@query':
      return path === undefined ? undefined : `?${query ?? ''}`
    case '@request-target':
      return path === undefined ? undefined : `${path}${query === undefined ? '' : `?${query}`}`
    case '@target-uri': {
      const authority = normalAuthority(message)
      if (authority === undefined || path === undefined) return undefined
      return `${scheme}://${authority}${path}${query === undefined ? '' : `?${query}`}`
    }
    case '@status':
      return status === undefined ? undefined : String(status)
    default:
      return undefined
  }
}

/** RFC 9421 §2.2.3: lower case, the scheme's own port left out. */
function normalAuthority({ authority, scheme }: SignedMessage): string | undefined {
  const lower = authority?.toLowerCase()
  return lower?.replace(scheme === 'https' ? /:443$/ : /:80$/, '')
}

/** RFC 9421 §2.2.8: one named parameter, which must stand once. */
function queryParameter(message: SignedMessage, name: unknown): string {
  if (typeof name !== 'string') throw invalid('expected `"@query-param";name="…"`')
  const values = new URLSearchParams(message.query ?? '').getAll(decodeURIComponent(name))
  const [value] = values
  if (value === undefined || values.length > 1) throw invalid('the query parameter must stand once')
  return encodeURIComponent(value)
}

function invalid(detail: string): Problem {
  return new Problem('credentials-invalid', detail)
}

/** What every call of the admin API shares: who may call, what a body holds, how errors look. @module */
import express from 'express'
import { Problem, toProblemDetails } from '../../base/problem.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import { sameSecret } from '../admin-secret.ts'
import { bearerOf } from './headers.ts'

/** Bytes of a call's body. */
const API_BODY_BYTES_MAX = 262_144
/** Characters of a reason, a rule or a name: they are sealed in clear. */
const TEXT_LENGTH_MAX = 200

/** A JSON object whose members are not typed yet. */
export type Members = Readonly<Record<string, unknown>>

/** Reads the body's bytes. */
export const readApiBody: express.RequestHandler = express.raw({
  type: () => true,
  limit: API_BODY_BYTES_MAX,
})

/** @throws {Problem} `credentials-missing` or `credentials-invalid`. */
export function checkSecret(request: express.Request, secret: string): void {
  const presented = bearerOf(request.headers.authorization)
  if (presented === undefined) throw new Problem('credentials-missing', 'no admin secret')
  if (!sameSecret(presented, secret)) {
    throw new Problem('credentials-invalid', 'this is not the admin secret')
  }
}

/** The bytes that `readApiBody` read; none when there was no body. */
export function bodyOf(request: express.Request): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
}

/**
 * Reads a call's body: a JSON object with no other members than `names`.
 *
 * @throws {Problem} `body-malformed`, `request-malformed`.
 */
export function readMembers(request: express.Request, names: readonly string[]): Members {
  const value = parseStrictJson(bodyOf(request))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem('request-malformed', 'expected a JSON object')
  }
  const unknown = Object.keys(value).some((name) => !names.includes(name))
  if (unknown) throw new Problem('request-malformed', `expected only ${names.join(', ')}`)
  return value as Members
}

/** @throws {Problem} `request-malformed` when the member is no text of the form. */
export function textMember(members: Members, name: string, form?: RegExp): string {
  const value = members[name]
  const fits = typeof value === 'string' && value.length > 0 && value.length <= TEXT_LENGTH_MAX
  if (fits && !/\p{Cc}/u.test(value) && form?.test(value) !== false) return value
  const detail = `\`${name}\` is not a text of at most ${TEXT_LENGTH_MAX} characters`
  throw new Problem('request-malformed', form === undefined ? detail : `${detail} like ${form.source}`) // prettier-ignore
}

/** Renders whatever a call threw; what is not ours to explain renders bare. */
export function apiErrors(report: (error: unknown) => void): express.ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    let problem = error
    const status = (error as { status?: unknown } | null)?.status
    if (status === 413) problem = new Problem('body-too-large', 'the body of a call is too large')
    else if (!(error instanceof Problem)) {
      if (status === 400) problem = new Problem('body-malformed', 'the body broke off')
      else report(error)
    }
    // What was broken off in the middle cannot be answered any more.
    if (response.headersSent) {
      response.destroy()
      return
    }
    const details = toProblemDetails(problem)
    response.status(details.status).type('application/problem+json')
    response.send(JSON.stringify(details))
  }
}

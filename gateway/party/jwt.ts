/** Callers that present a JWT of their own making, in the style of private_key_jwt (RFC 7523 §3). @module */
import { errors } from 'jose'
import { Problem } from '../../base/problem.ts'
import { type VerifiedJws, verifyJws } from './jws.ts'
import { type KeyFinder, thumbprint } from './keys.ts'
import { PARTY_LIMITS } from './party.ts'
import type { ReplayWindow } from './replay.ts'

const { TOKEN_LIFE_MAX_S, CLOCK_SKEW_S, JTI_CHARACTERS_MAX, TOKEN_BYTES_MAX } = PARTY_LIMITS

/** The audience that a JWT for this recipient names: credentials for one bank open no other. */
export function audienceOf(recipient: string): string {
  return `urn:sealgate:${recipient}`
}

/**
 * Reads who a JWT claims to be from; nothing about it is proven yet.
 *
 * @throws {Problem} `credentials-invalid`
 */
export function claimedIssuer(token: string): string {
  if (token.length > TOKEN_BYTES_MAX) throw invalid(`a JWT longer than ${TOKEN_BYTES_MAX} bytes`)
  try {
    // Attacker-controlled: only looked up in the table of parties.
    const payload: unknown = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
    )
    const issuer = (payload as { iss?: unknown } | null)?.iss
    if (typeof issuer === 'string') return issuer
  } catch (cause) {
    throw invalid('expected a JWT in compact form', cause)
  }
  throw invalid('expected a JWT whose `iss` is the id of a party')
}

/** What a JWT is checked against. */
export interface JwtCheck {
  readonly party: string
  readonly recipient: string
  readonly keys: KeyFinder
  readonly replay: ReplayWindow
  /** Seconds since the epoch, whole. */
  readonly nowS: number
  /** When this gateway started: what it knew of earlier identifiers is gone. */
  readonly startedS: number
}

/**
 * Verifies a JWT and spends its `jti`.
 *
 * @returns the thumbprint of the key that signed it.
 * @throws {Problem} `credentials-invalid`, `credentials-replayed`, `overloaded`
 */
export async function verifyJwt(token: string, check: JwtCheck): Promise<string> {
  let verified: VerifiedJws
  try {
    verified = await verifyJws(token, check.keys)
  } catch (cause) {
    throw explain(cause)
  }
  const { payload, key } = verified
  const exp = checkClaims(payload, check)
  const { jti } = payload
  if (typeof jti !== 'string' || jti === '' || jti.length > JTI_CHARACTERS_MAX) {
    throw invalid(`expected \`jti\` of 1 to ${JTI_CHARACTERS_MAX} characters`)
  }
  check.replay.accept(jti, exp + CLOCK_SKEW_S, check.nowS)
  return thumbprint(key)
}

/** RFC 7523 §3. @returns `exp`. */
function checkClaims(payload: VerifiedJws['payload'], check: JwtCheck): number {
  const { iss, sub, aud, exp, iat, nbf = 0 } = payload
  const { party, nowS } = check
  const audience = audienceOf(check.recipient)
  if (iss !== party) throw notRight('iss')
  if (sub !== party) throw notRight('sub')
  if (aud !== audience && !(Array.isArray(aud) && aud.includes(audience))) throw notRight('aud')
  if (typeof exp !== 'number') throw notRight('exp')
  if (typeof iat !== 'number') throw notRight('iat')
  if (typeof nbf !== 'number' || nbf > nowS + CLOCK_SKEW_S) throw notRight('nbf')
  if (exp <= nowS - CLOCK_SKEW_S) throw invalid('`exp` is in the past')
  if (exp > nowS + TOKEN_LIFE_MAX_S + CLOCK_SKEW_S) {
    throw invalid(`\`exp\` is more than ${TOKEN_LIFE_MAX_S} s ahead`)
  }
  if (iat > nowS + CLOCK_SKEW_S) throw invalid('`iat` is in the future')
  if (iat < check.startedS) {
    throw invalid('`iat` is before this gateway started; make a new JWT for each request')
  }
  return exp
}

/** jose's messages name claims, never values; whatever is not its own error is ours. */
function explain(cause: unknown): Problem {
  if (cause instanceof Problem) return cause
  if (cause instanceof errors.JWKSTimeout) {
    return new Problem('overloaded', 'the key set of the party cannot be fetched', { cause })
  }
  if (cause instanceof errors.JOSEError) return invalid(describe(cause), cause)
  return new Problem('overloaded', 'the key set of the party cannot be fetched', { cause })
}

function describe(error: errors.JOSEError): string {
  if (error instanceof errors.JWKSNoMatchingKey) return 'no registered key fits `kid` and `alg`'
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'name one key with `kid`'
  return 'expected a signed JWT in compact form'
}

function notRight(claim: string): Problem {
  return invalid(`claim \`${claim}\` is not right`)
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('credentials-invalid', detail, cause === undefined ? {} : { cause })
}

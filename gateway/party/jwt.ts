/** Callers that present a JWT of their own making, in the style of private_key_jwt (RFC 7523 §3). @module */
import { errors, jwtVerify } from 'jose'
import type { CryptoKey, JWTPayload } from 'jose'
import { Problem } from '../../base/problem.ts'
import { type KeyFinder, thumbprint } from './keys.ts'
import { PARTY_LIMITS } from './party.ts'
import type { ReplayWindow } from './replay.ts'

const { TOKEN_LIFE_MAX_S, CLOCK_SKEW_S, JTI_CHARACTERS_MAX, TOKEN_BYTES_MAX } = PARTY_LIMITS

/** `EdDSA` is the older name of `Ed25519`; both are in use. */
const ALGORITHMS = ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256']

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
  let payload: JWTPayload
  let key: CryptoKey
  try {
    const verified = await jwtVerify(token, check.keys, {
      algorithms: ALGORITHMS,
      issuer: check.party,
      subject: check.party,
      audience: audienceOf(check.recipient),
      requiredClaims: ['exp', 'iat', 'jti'],
      clockTolerance: CLOCK_SKEW_S,
      currentDate: new Date(check.nowS * 1000),
    })
    payload = verified.payload
    key = verified.key as CryptoKey
  } catch (cause) {
    throw explain(cause)
  }
  const { exp = 0, iat = 0, jti } = payload
  if (exp > check.nowS + TOKEN_LIFE_MAX_S + CLOCK_SKEW_S) {
    throw invalid(`\`exp\` is more than ${TOKEN_LIFE_MAX_S} s ahead`)
  }
  if (iat > check.nowS + CLOCK_SKEW_S) throw invalid('`iat` is in the future')
  if (iat < check.startedS) {
    throw invalid('`iat` is before this gateway started; make a new JWT for each request')
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > JTI_CHARACTERS_MAX) {
    throw invalid(`expected \`jti\` of 1 to ${JTI_CHARACTERS_MAX} characters`)
  }
  check.replay.accept(jti, exp + CLOCK_SKEW_S, check.nowS)
  return thumbprint(key)
}

/** jose's messages name claims, never values; whatever is not its own error is ours. */
function explain(cause: unknown): Problem {
  if (cause instanceof errors.JWKSTimeout) {
    return new Problem('overloaded', 'the key set of the party cannot be fetched', { cause })
  }
  if (cause instanceof errors.JOSEError) return invalid(describe(cause), cause)
  return new Problem('overloaded', 'the key set of the party cannot be fetched', { cause })
}

function describe(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return '`exp` is in the past'
  if (error instanceof errors.JWTClaimValidationFailed)
    return `claim \`${error.claim}\` is not right`
  if (error instanceof errors.JOSEAlgNotAllowed) return `expected \`alg\` ${ALGORITHMS.join(', ')}`
  if (error instanceof errors.JWKSNoMatchingKey) return 'no registered key fits `kid` and `alg`'
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'name one key with `kid`'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature does not verify'
  return 'expected a signed JWT in compact form'
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('credentials-invalid', detail, cause === undefined ? {} : { cause })
}

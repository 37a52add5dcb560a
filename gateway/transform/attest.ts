/** attest: a verifier sees the value, the recipient sees only what the verifier signs about it. @module */
import { jwtVerify, type JWTVerifyGetKey } from 'jose'
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { toBase64url } from '../../base/base64url.ts'
import { domainOf } from '../token/domain.ts'
import { KEEP, toRefusal, toText } from './change.ts'
import { quoted, readParameters } from './parameters.ts'
import type { TransformType } from './transform.ts'

/** A party that checks values: a telecom operator, an identity service. */
export interface Verifier {
  /** The `iss` of its statements. */
  readonly issuer: string
  /** Finds its public keys, such as jose's `createLocalJWKSet` makes. */
  readonly keys: JWTVerifyGetKey
  /** @returns its statement, a compact JWS. @throws {Problem} `verifier-failed` */
  readonly ask: (question: Question) => Promise<string>
}

/** What attest needs. */
export interface AttestPorts {
  readonly clock: Clock
  readonly random: (bytes: number) => Uint8Array
  readonly verifiers: Verifiers
}

/** Verifiers by the name that policies use. */
export type Verifiers = Pick<ReadonlyMap<string, Verifier>, 'get' | 'keys'>

/** One question to a verifier. */
export interface Question {
  readonly kind: string
  readonly value: string
  readonly audience: string
  readonly nonce: string
}

const STATEMENT_BYTES_MAX = 8192
const STATEMENT_AGE_S = 300
const CLAIMS = ['iss', 'aud', 'iat', 'exp', 'nonce', 'kind', 'result']
const HEADER = ['alg', 'kid', 'typ']
const ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'PS256']
/** What a result may be: short words leave no room for the value itself. */
const RESULT = /^[a-z][a-z-]{0,31}$/

/**
 * `{ attest: operator-one }` posts `{ kind, value, audience, nonce }` to the named verifier and passes
 * on the JWT that answers it: `iss`, `aud` (the recipient), `iat`, `nonce`, `kind` and `result`, a
 * boolean or a word, and nothing else.
 *
 * @throws {Problem} `verifier-failed`, through the promise of the change.
 */
export function createAttest({ clock, random, verifiers }: AttestPorts): TransformType {
  return (action, binding, complain) => {
    const name = readParameters(action, complain, 'verifier').text('verifier')
    const verifier = verifiers.get(name)
    if (verifier === undefined) {
      const names = [...verifiers.keys()]
      const help =
        names.length === 0 ? 'add it to `verifiers` in sealgate.yaml' : `known are ${quoted(names)}`
      complain(`there is no verifier \`${name}\``, help)
      return () => toRefusal('no verifier is configured')
    }
    const { kind } = binding
    const audience = domainOf(binding).holder
    return (value) => {
      if (value.type === 'null') return KEEP
      const nonce = toBase64url(random(16))
      const question = { kind, value: value.reveal(), audience, nonce }
      const result = verifier.ask(question).then(async (statement) => {
        await checkStatement(verifier, question, statement, clock)
        return toText(statement)
      })
      return { change: 'later', result }
    }
  }
}

/** Asks by POST. */
export function askOverHttp(url: string, timeoutMs: number): Verifier['ask'] {
  return async (question) => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/jwt' },
        body: JSON.stringify(question),
        redirect: 'error', // The value goes to the configured address and nowhere else.
        signal: AbortSignal.timeout(timeoutMs),
      })
      const chunks: Uint8Array[] = []
      let size = 0
      for await (const chunk of response.body ?? []) {
        size += chunk.length
        if (size > STATEMENT_BYTES_MAX) throw new Error('the answer is too long')
        chunks.push(chunk)
      }
      if (response.status !== 200) throw new Error(`status ${response.status}`)
      return Buffer.concat(chunks).toString('latin1').trim()
    } catch (cause) {
      throw new Problem('verifier-failed', 'the verifier gave no answer', { cause })
    }
  }
}

/** Attacker-controlled until verified: the statement came over the network. */
async function checkStatement(
  { keys, issuer }: Verifier,
  { kind, value, audience, nonce }: Question,
  statement: string,
  clock: Clock,
): Promise<void> {
  const options = {
    issuer,
    audience,
    algorithms: ALGORITHMS,
    maxTokenAge: STATEMENT_AGE_S,
    currentDate: new Date(Number(clock.wallUs() / 1000n)),
  }
  const { payload, protectedHeader } = await jwtVerify(statement, keys, options).catch(
    (cause: unknown) => {
      throw new Problem('verifier-failed', 'the verifier’s statement does not verify', { cause })
    },
  )
  const { result } = payload
  const extra = [
    ...Object.keys(payload).filter((claim) => !CLAIMS.includes(claim)),
    ...Object.keys(protectedHeader).filter((member) => !HEADER.includes(member)),
  ]
  const isAnswer = payload['nonce'] === nonce && payload['kind'] === kind
  const isResult =
    typeof result === 'boolean' || (typeof result === 'string' && RESULT.test(result))
  if (extra.length > 0 || !isAnswer || !isResult || result === value) {
    throw new Problem('verifier-failed', 'the verifier’s statement says something else than asked')
  }
}

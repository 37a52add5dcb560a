/** The table of parties: finds recipients, and identifies callers by what they present. @module */
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import type { AuthConfig, PartyConfig } from '../config.ts'
import { ConfigFault } from '../fault.ts'
import { bearerOf, type Head } from '../http/headers.ts'
import { claimedIssuer, verifyJwt } from './jwt.ts'
import { type KeyFinder, openKeys } from './keys.ts'
import { peerCertificate, sameSubject } from './mtls.ts'
import { openSecrets, type SharedSecret } from '../signature/secrets.ts'
import { createSecretSigner, type MessageSigner } from '../signature/sign.ts'
import { type Caller, PARTY_LIMITS, type Party } from './party.ts'
import { createReplayWindow, type ReplayWindow } from './replay.ts'
import { claimedSigner, verifyCallerMac, verifyCallerSignature } from './signature.ts'

/** Who is who. */
export interface Parties {
  get(id: string): Party | undefined
  /**
   * Identifies the caller by the first of: `Authorization`, `Signature-Input`, client certificate.
   *
   * @throws {Problem} `credentials-missing`, `credentials-invalid`, `credentials-replayed`
   */
  identify(request: IncomingMessage, head: Head, recipient: string): Promise<Caller>
}

interface Member {
  readonly party: Party
  readonly jwt: readonly KeyFinder[]
  readonly signature: readonly KeyFinder[]
  readonly subjects: readonly string[]
  readonly secrets: readonly SharedSecret[]
  readonly replay: ReplayWindow
}

/** @throws {ConfigFault} for an unusable key set or URL, naming it. */
export function openParties(configs: readonly PartyConfig[], clock: Clock): Parties {
  const members = new Map(configs.map((config) => [config.id, openMember(config)]))
  const startedS = nowS(clock)

  async function byJwt(token: string, recipient: string): Promise<Caller> {
    const member = members.get(claimedIssuer(token))
    if (member === undefined || member.jwt.length === 0) throw unknownSigner()
    const check = { party: member.party.id, recipient, replay: member.replay, startedS }
    const key = await firstThatFits(member.jwt, (keys) =>
      verifyJwt(token, { ...check, keys, nowS: nowS(clock) }),
    )
    return { party: member.party, method: 'jwt', key }
  }

  async function bySignature(request: IncomingMessage, head: Head): Promise<Caller> {
    const { party: id, label } = claimedSigner(head)
    const member = members.get(id)
    const { signature = [], secrets = [] } = member ?? {}
    const isSecret = label.covered[1].get('alg') === 'hmac-sha256'
    if (member === undefined || (isSecret ? secrets : signature).length === 0) throw unknownSigner()
    const check = { head, label, replay: member.replay, startedS }
    if (isSecret) {
      const key = verifyCallerMac(request, { ...check, secrets, nowS: nowS(clock) })
      return { party: member.party, method: 'hmac', key }
    }
    const key = await firstThatFits(member.signature, (keys) =>
      verifyCallerSignature(request, { ...check, keys, nowS: nowS(clock) }),
    )
    return { party: member.party, method: 'signature', key }
  }

  function byCertificate(request: IncomingMessage): Caller {
    const certificate = peerCertificate(request.socket)
    if (certificate === undefined) {
      throw new Problem('credentials-missing', 'no JWT, no signature, no client certificate')
    }
    for (const { party, subjects } of members.values()) {
      if (subjects.some((subject) => sameSubject(subject, certificate.subject))) {
        return { party, method: 'mtls', key: certificate.fingerprint }
      }
    }
    throw new Problem('credentials-invalid', "the certificate's subject is not a registered party")
  }

  return {
    get: (id) => members.get(id)?.party,
    identify: async (request, head, recipient) => {
      const authorization = head.get('authorization')
      if (authorization !== undefined) {
        const token = bearerOf(authorization)
        if (token === undefined) {
          throw new Problem('credentials-invalid', 'expected `Authorization: Bearer <JWT>`')
        }
        return byJwt(token, recipient)
      }
      if (head.has('signature-input')) return bySignature(request, head)
      return byCertificate(request)
    },
  }
}

const REPLAYED = { slug: 'credentials-replayed', detail: 'this `jti` was used before' } as const

/** Several key sets may serve one party; the first error tells most when none fits. */
async function firstThatFits<T>(
  finders: readonly KeyFinder[],
  verify: (keys: KeyFinder) => Promise<T>,
): Promise<T> {
  let first: unknown
  for (const keys of finders) {
    try {
      return await verify(keys)
    } catch (error) {
      if (!(error instanceof Problem) || error.slug !== 'credentials-invalid') throw error
      first ??= error
    }
  }
  throw first
}

function openMember(config: PartyConfig): Member {
  const keysOf = (method: 'jwt' | 'signature') =>
    config.auth
      .filter((auth): auth is AuthConfig & { method: typeof method } => auth.method === method)
      .map((auth) => openKeys(auth.jwks))
  return {
    party: { id: config.id, role: config.role, ...baseOf(config), ...signerOf(config) },
    jwt: keysOf('jwt'),
    signature: keysOf('signature'),
    secrets: config.auth.flatMap((auth) =>
      auth.method === 'hmac' ? openSecrets(auth.secrets) : [],
    ),
    subjects: config.auth.flatMap((auth) => (auth.method === 'mtls' ? [auth.subject] : [])),
    replay: createReplayWindow(PARTY_LIMITS.JTI_COUNT_MAX, REPLAYED),
  }
}

function baseOf(config: PartyConfig): { base?: URL } {
  if (config.url === undefined) return {}
  const base = URL.parse(config.url)
  const plain = base !== null && base.search === '' && base.hash === '' && base.username === ''
  if (base === null || !plain || !/^https?:$/.test(base.protocol)) {
    throw new ConfigFault(`parties.${config.id}.url`, 'expected an http or https URL without query')
  }
  base.pathname = base.pathname.replace(/\/+$/, '')
  return { base }
}

function signerOf({ signWith }: PartyConfig): { signer?: MessageSigner } {
  const [secret] = signWith === undefined ? [] : openSecrets(signWith)
  return secret === undefined ? {} : { signer: createSecretSigner(secret) }
}

function unknownSigner(): Problem {
  return new Problem('credentials-invalid', 'the signer is not a party that may call this way')
}

function nowS(clock: Clock): number {
  return Number(clock.wallUs() / 1_000_000n)
}

/** Deposits: evidence that a party hands in without a relay, such as a contract's digest. @module */
import type express from 'express'
import { Problem } from '../../base/problem.ts'
import type { Claim } from '../../evidence/record.ts'
import type { OpenRecorder } from '../../evidence/recorder.ts'
import type { Parties } from '../party/registry.ts'
import { checkContentDigest } from '../signature/digest.ts'
import {
  apiErrors,
  bodyOf,
  type Members,
  readApiBody,
  readMembers,
  textMember,
} from './api-request.ts'
import { watchRequest } from './body.ts'
import { readHead } from './headers.ts'

/** Members of `links` and of `content`. */
const LINKS_MAX = 8
const CONTENT_MAX = 64
/** Characters of one value of `content`. */
const VALUE_LENGTH_MAX = 4096
/** What a party's JWT for a deposit names as its audience: `urn:sealgate:deposit`. */
const AUDIENCE = 'deposit'
const PATH = '/api/deposit'

/** What a deposit is made with. */
export interface DepositPorts {
  readonly note: OpenRecorder['note']
  readonly parties: Parties
  /** Turns a link's value into its pseudonym. */
  readonly pseudonym: (name: string, value: string) => string
  /** Told of errors that are bugs. */
  readonly report: (error: unknown) => void
}

/** Who hands in, and how that is known. */
export interface Depositor {
  readonly id: string
  readonly auth: string
  readonly key: string
}

/** The members that a deposit may have. */
export const DEPOSIT_MEMBERS = ['type', 'links', 'sha256', 'content'] as const

/**
 * Adds `POST /api/deposit` for the parties themselves to the relay's listener. On the application, not
 * on a router of its own: that would be asked before each relay, and cut its mount path off the
 * target, which a caller's signature covers.
 */
export function addDeposits(app: express.Express, ports: DepositPorts): void {
  app.post(
    PATH,
    async (request, response, next) => {
      watchRequest(request)
      const head = readHead(request.rawHeaders, 'request-malformed')
      const { party, method, key } = await ports.parties.identify(request, head, AUDIENCE)
      response.locals['depositor'] = { id: party.id, auth: method, key } satisfies Depositor
      next()
    },
    readApiBody,
    async (request, response) => {
      const digest = request.headers['content-digest']
      if (digest !== undefined) checkContentDigest(String(digest), bodyOf(request))
      const depositor = response.locals['depositor'] as Depositor
      const evidenceId = await deposit(ports, depositor, readMembers(request, DEPOSIT_MEMBERS))
      response.status(201).set('evidence-id', evidenceId).json({ evidenceId })
    },
  )
  app.all(PATH, () => {
    throw new Problem('route-unknown', 'deposits are handed in with POST')
  })
  app.use(PATH, apiErrors(ports.report))
}

/**
 * Seals a deposit; its values stand in the record as commitments only.
 *
 * @returns the Evidence-Id, when durable.
 * @throws {Problem} `request-malformed`, `evidence-unavailable`.
 */
export async function deposit(
  { note, pseudonym }: Pick<DepositPorts, 'note' | 'pseudonym'>,
  depositor: Depositor,
  members: Members,
): Promise<string> {
  const type = textMember(members, 'type', /^[a-z][a-z0-9-]{0,63}$/)
  const links = texts(members, 'links', LINKS_MAX).map(
    ([name, value]) => [name, pseudonym(name, value)] as const,
  )
  const claims: Claim[] = texts(members, 'content', CONTENT_MAX).map(([name, value]) => ({
    name: `d:${name}`,
    json: JSON.stringify(value),
  }))
  if (members['sha256'] !== undefined) {
    const digest = textMember(members, 'sha256', /^[0-9a-f]{64}$/)
    claims.push({ name: 'document_sha256', json: JSON.stringify(digest) })
  }
  if (claims.length === 0) throw new Problem('request-malformed', 'expected `sha256` or `content`')
  const facts = { caller: { ...depositor }, type, links: Object.fromEntries(links) }
  return note('deposit', facts, claims)
}

/** A map of names to texts; numbers are written as texts, so that they keep their spelling. */
function texts(members: Members, name: string, max: number): [string, string][] {
  const value = members[name] ?? {}
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const fits = (entry: [string, unknown]): entry is [string, string] =>
    /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(entry[0]) &&
    typeof entry[1] === 'string' &&
    entry[1] !== '' &&
    entry[1].length <= VALUE_LENGTH_MAX
  if (typeof value === 'object' && entries.length <= max && entries.every(fits)) return entries
  throw new Problem(
    'request-malformed',
    `\`${name}\` is not a map of at most ${max} names to texts`,
  )
}

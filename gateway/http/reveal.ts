/** What custody gives out: always after a record of it is durable, and always as ciphertext. @module */
import type { Request, Response } from 'express'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Problem } from '../../base/problem.ts'
import { UUID } from '../../base/uuid.ts'
import type { KeeperPorts } from '../../evidence/custody/custody.ts'
import { isBody, type Stored } from '../../evidence/custody/store.ts'
import { type Members, readMembers, textMember } from './api-request.ts'

/** Names in one reveal. */
const REVEAL_FIELDS_MAX = 64

/** Gives secrets and claims of a record, for the custodian alone. */
export async function reveal(ports: KeeperPorts, request: Request) {
  const members = readMembers(request, ['record', 'reason', 'fields'])
  const fields = members['fields']
  if (!Array.isArray(fields) || fields.length > REVEAL_FIELDS_MAX) {
    throw new Problem('request-malformed', `\`fields\` is not a list of at most ${REVEAL_FIELDS_MAX}`) // prettier-ignore
  }
  const names = fields.map((name: unknown) => textMember({ field: name }, 'field'))
  const asked = readAsked(members)
  const found = await find(ports, asked)
  const evidenceId = await ports.note('reveal', { ...asked, fields: names })
  return { evidenceId, originals: await secretsOf(ports, found) }
}

/**
 * Gives a long body too: the same texts, one a line, an empty line, and the body's file as it is kept.
 */
export async function revealBody(
  ports: KeeperPorts,
  request: Request,
  response: Response,
): Promise<void> {
  const members = readMembers(request, ['record', 'reason', 'side'])
  const part = `${textMember(members, 'side', /^(?:request|response)$/)}.body`
  const asked = readAsked(members)
  const found = await find(ports, asked)
  const body = found.find((item) => item.part === part)
  if (body === undefined) {
    throw new Problem('request-malformed', `custody holds no \`${part}\`: it was short, and its values are claims`) // prettier-ignore
  }
  const evidenceId = await ports.note('reveal', { ...asked, fields: [part] })
  const texts = await secretsOf(ports, found)
  response.status(200).set({ 'content-type': 'application/octet-stream', 'evidence-id': evidenceId }) // prettier-ignore
  response.write(`${texts.join('\n')}\n\n`)
  await pipeline(Readable.from(ports.store.read(body), { objectMode: false }), response)
}

interface Asked {
  readonly record: string
  readonly reason: string
}

function readAsked(members: Members): Asked {
  return { record: textMember(members, 'record', UUID), reason: textMember(members, 'reason') }
}

async function find({ store }: KeeperPorts, { record }: Asked): Promise<readonly Stored[]> {
  const found = await store.find(record)
  if (found.length > 0) return found
  throw new Problem('request-malformed', 'custody holds nothing of this record: erased, or never there') // prettier-ignore
}

function secretsOf({ store }: KeeperPorts, found: readonly Stored[]): Promise<string[]> {
  return Promise.all(found.filter(({ part }) => !isBody(part)).map((item) => store.get(item)))
}

/** The admin API: what keepers of custody and depositors do. Every act is sealed. @module */
import express from 'express'
import { Problem } from '../../base/problem.ts'
import { UUID } from '../../base/uuid.ts'
import { erase, hold, type KeeperPorts, releaseHold } from '../../evidence/custody/custody.ts'
import type { CustodyStore } from '../../evidence/custody/store.ts'
import type { Persist } from '../../evidence/record.ts'
import { parseJob } from '../../workers/job.ts'
import type { DeskStatus } from '../file/status.ts'
import type { Transfers } from '../stream/transfers.ts'
import { apiErrors, checkSecret, readApiBody, readMembers, textMember } from './api-request.ts'
import { deposit, DEPOSIT_MEMBERS, type DepositPorts } from './deposit.ts'
import { openApi } from './openapi.ts'
import { reveal, revealBody } from './reveal.ts'

/** What the API needs. */
export interface ApiPorts extends DepositPorts {
  /** Custody's store, undefined when no custodian is configured; and the way to the log. */
  readonly evidence: { readonly custody: CustodyStore | undefined; readonly persist: Persist }
  /** Long bodies under way. */
  readonly transfers: Transfers
  /** What desks of files do, which are processes of their own. */
  readonly desks: () => readonly DeskStatus[]
  /** The admin secret. */
  readonly secret: string
}

/** Builds the API; it is mounted at `/api`. */
export function createApi(ports: ApiPorts): express.Router {
  const router = express.Router()
  router.get('/openapi.json', (_request, response) => {
    response.json(openApi())
  })
  router.use((request, _response, next) => {
    checkSecret(request, ports.secret)
    next()
  }, readApiBody)
  router.get('/transfers', (_request, response) => {
    const told = ports.desks()
    const running = told.flatMap(({ transfers }) => transfers)
    const desks = told.map(({ transfers: _, ...desk }) => desk)
    response.json({ transfers: [...ports.transfers.list(), ...running], desks })
  })
  router.post('/erase', async (request, response) => {
    const members = readMembers(request, ['record', 'rule'])
    const rule = textMember(members, 'rule')
    const done = await erase(keeper(ports), textMember(members, 'record', UUID), rule)
    response.json({ erased: done.erased.length, held: done.held.length })
  })
  for (const [path, act] of [
    ['/hold', hold],
    ['/release', releaseHold],
  ] as const) {
    // prettier-ignore
    router.post(path, async (request, response) => {
      const members = readMembers(request, ['record', 'reason'])
      const reason = textMember(members, 'reason')
      await act(keeper(ports), textMember(members, 'record', UUID), reason)
      response.json({})
    })
  }
  router.post('/deposit', async (request, response) => {
    const { party, ...members } = readMembers(request, [...DEPOSIT_MEMBERS, 'party'])
    const id = textMember({ party }, 'party')
    if (ports.parties.get(id) === undefined) {
      throw new Problem('request-malformed', '`party` is not the id of a party')
    }
    const evidenceId = await deposit(ports, { id, auth: 'operator', key: '' }, members)
    response.status(201).set('evidence-id', evidenceId).json({ evidenceId })
  })
  // Another process of this installation sealed them, and has no log of its own.
  router.post('/records', async (request, response) => {
    const members = readMembers(request, ['v', 'records'])
    await ports.evidence.persist(parseJob(members))
    response.json({})
  })
  router.post('/reveal', async (request, response) => {
    response.json(await reveal(keeper(ports), request))
  })
  router.post('/reveal-body', (request, response) => revealBody(keeper(ports), request, response))
  router.use((_request, _response) => {
    throw new Problem('route-unknown', 'the admin API has no such path')
  })
  router.use(apiErrors(ports.report))
  return router
}

function keeper({ note, evidence: { custody: store } }: ApiPorts): KeeperPorts {
  if (store !== undefined) return { note, store }
  throw new Problem('request-malformed', 'no custodian is configured; add `custody:` to sealgate.yaml') // prettier-ignore
}

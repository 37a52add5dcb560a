/** The resumable uploads under way, from the first request to what became of them. @module */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { Problem, type ProblemSlug } from '../../base/problem.ts'
import { newRid } from '../../evidence/random.ts'
import { routeName } from '../http/facts.ts'
import type { RelayLimits } from '../http/limits.ts'
import { type DigestCheck, startDigestCheck } from '../signature/digest.ts'
import type { SpoolFolder } from '../stream/spool.ts'
import type { Transfers } from '../stream/transfers.ts'
import type { Ends, UploadEnd } from './ends.ts'
import { writeLimits } from './fields.ts'
import { type Begun, createUpload, type Upload } from './upload.ts'
import { createUploadTable, type UploadTable } from './upload-table.ts'

/** What uploads are made of. */
export interface UploadPorts {
  readonly clock: Clock
  readonly limits: RelayLimits
  readonly spools: SpoolFolder
  readonly transfers: Transfers
  readonly ends: Ends
  /** Seals that an upload ended without being complete, and nothing was relayed. */
  readonly seal: (upload: Upload, problem: Problem) => Promise<void>
  readonly report: (error: unknown, rid: string) => void
}

/** How a relay of a whole upload ended. */
export type RelayEnd = Pick<UploadEnd, 'outcome' | 'status' | 'recipientStatus' | 'problem'>

/** All uploads. */
export interface Uploads extends Pick<UploadTable, 'room' | 'touch'> {
  /** Whether this party may begin another one. */
  mayBegin(party: string): boolean
  /** @throws {Problem} `overloaded` */
  begin(begun: Begun, sizeMax: number, length: number | undefined): Promise<Upload>
  /** One of this party for this recipient, or how it ended. */
  find(id: string, party: string, recipient: string): Upload | UploadEnd | undefined
  /** The value of its `Upload-Limit`. */
  limitsOf(upload: Upload): string
  /** Durable when it resolves: from here on it is relayed at most once. @throws {Problem} */
  complete(upload: Upload): Promise<void>
  /** Nothing left, and the same may go well later: it may be completed again. */
  reopen(upload: Upload): Promise<void>
  end(upload: Upload, end: RelayEnd): void
  /** Ends one that nobody was told of. */
  forget(upload: Upload): void
  /** Ends one that is not complete, and seals it. @returns false for one that is complete. */
  abandon(upload: Upload, slug: ProblemSlug): Promise<boolean>
  /** Uploads that ended so far, by how. */
  readonly counts: () => ReadonlyMap<string, number>
  close(): Promise<void>
}

interface State extends UploadPorts {
  readonly table: UploadTable
  readonly counts: Map<string, number>
}

/** Starts without any: the bodies of an earlier process went with its keys. */
export function createUploads(ports: UploadPorts): Uploads {
  const expire = (upload: Upload) => void quietly(state, upload, 'upload-expired')
  const table = createUploadTable({ ...ports, expire })
  const state: State = { ...ports, table, counts: new Map() }
  const { clock, ends } = ports
  return {
    room: table.room,
    touch: table.touch,
    mayBegin: table.hasRoom,
    begin: (...about) => begin(state, ...about),
    find: (id, party, recipient) => {
      const upload = table.get(id)
      const end = upload === undefined ? ends.find(id) : undefined
      const owner = upload === undefined ? end : ownerOf(upload)
      return owner?.party === party && owner.recipient === recipient ? (upload ?? end) : undefined
    },
    limitsOf: (upload) => writeLimits(upload.sizeMax, table.leftMs(upload)),
    complete: async (upload) => {
      upload.completedUs = clock.wallUs()
      table.keep(upload)
      await ends.promise(upload.id, { ...endOf(state, upload), outcome: 'unknown' })
    },
    reopen: async (upload) => {
      await ends.withdraw(upload.id)
      upload.completedUs = undefined
      upload.rid = newRid(clock.wallUs())
      table.release(upload)
    },
    end: (upload, how) => end(state, upload, how),
    forget: (upload) => leave(state, upload),
    abandon: (upload, slug) => abandon(state, upload, slug),
    counts: () => state.counts,
    close: async () => {
      for (const upload of table.all()) await quietly(state, upload, 'overloaded')
      await ends.close()
    },
  }
}

async function begin(
  { clock, spools, transfers, table }: State,
  begun: Begun,
  sizeMax: number,
  length: number | undefined,
): Promise<Upload> {
  const { caller, recipient, route } = begun
  const check = digestOf(begun)
  const spool = await spools.open()
  if (!table.hasRoom(caller.party.id)) {
    await spool.close()
    throw new Problem('overloaded', 'too many uploads are under way')
  }
  const id = randomBytes(16).toString('hex')
  const upload = createUpload(spool, check, {
    id,
    rid: newRid(clock.wallUs()),
    begun,
    sizeMax,
    length,
  })
  // prettier-ignore
  const info = {
    get record() { return upload.rid },
    get total() { return upload.length },
    direction: 'upload' as const, caller: caller.party.id, recipient: recipient.id, route: routeName(route.policy),
  }
  const progress = () => ({ received: upload.offset(), forwarded: 0, rows: 0 })
  table.take(upload, transfers.begin(info, progress))
  return upload
}

function leave({ table, report }: State, upload: Upload): boolean {
  if (!table.leave(upload)) return false
  upload.close().catch((error: unknown) => report(error, upload.rid))
  return true
}

function end(state: State, upload: Upload, how: RelayEnd): void {
  const { ends, counts } = state
  const about = { ...endOf(state, upload), ...how }
  if (!leave(state, upload)) return
  ends.put(upload.id, about)
  const name = about.complete ? how.outcome : (how.problem ?? '')
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

async function abandon(state: State, upload: Upload, slug: ProblemSlug): Promise<boolean> {
  const release = await upload.hold()
  try {
    if (upload.completedUs !== undefined) return false
    if (state.table.get(upload.id) === undefined) return true
    const problem = new Problem(slug, '')
    end(state, upload, { outcome: 'refused', status: problem.status, problem: slug })
    await state.seal(upload, problem)
    return true
  } finally {
    release()
  }
}

async function quietly(state: State, upload: Upload, slug: ProblemSlug): Promise<void> {
  try {
    await abandon(state, upload, slug)
  } catch (error) {
    state.report(error, upload.rid)
  }
}

function endOf({ clock }: State, upload: Upload): Omit<UploadEnd, 'outcome'> {
  return {
    ...ownerOf(upload),
    rid: upload.rid,
    length: upload.offset(),
    complete: upload.completedUs !== undefined,
    endedMs: Number(clock.wallUs() / 1000n),
  }
}

/** @throws {Problem} `body-malformed` for a `Repr-Digest` of which nothing is known. */
function digestOf({ head }: Begun): DigestCheck | undefined {
  const digest = head.get('repr-digest')
  return digest === undefined ? undefined : startDigestCheck(digest)
}

function ownerOf({ begun }: Upload): Pick<UploadEnd, 'party' | 'recipient'> {
  return { party: begun.caller.party.id, recipient: begun.recipient.id }
}

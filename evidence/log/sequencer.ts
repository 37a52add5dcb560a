/**
 * The sequencer: the only writer of the log and the only judge of duplicates.
 *
 * One batch goes: staging bundle (durable) → compare-and-swap of the signed checkpoint in the lock
 * store → tiles, entries, records → publish the checkpoint → index. A crash before the swap leaves
 * a staging bundle that the next start deletes; a crash after it leaves a batch that the next start
 * finishes. @module
 */
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { sm3 } from '../crypto.ts'
import { indexRow, knownRow } from '../index/fields.ts'
import type { EvidenceIndex, IndexRow } from '../index/index.ts'
import type { SealedRecord } from '../record.ts'
import { type Edge, makeBatch, type NewRecord, obsolete } from './batch.ts'
import { signCheckpoint } from './checkpoint.ts'
import { classify } from './duplicates.ts'
import { frontierRoot } from './frontier.ts'
import { catchUp, loadEdge } from './load.ts'
import type { LockState } from './lock.ts'
import { type LogReader, readerAt } from './reader.ts'
import {
  applyFiles,
  dropOldStaging,
  recover,
  type RecoverPorts,
  refuseEarlyClock,
  seconds,
} from './recover.ts'
import { packFiles, stagingKey } from './staging.ts'
import type { Store } from './store.ts'
import { type Turn, turnRecord } from './turn.ts'

/** Everything that the sequencer needs of the world. */
export interface SequencerPorts extends RecoverPorts {
  readonly index: EvidenceIndex
  readonly clock: Clock
  /** Leaves carry SM3 digests beside those of SHA-256. */
  readonly sm3?: boolean
  /** What a log that follows another begins with. */
  readonly turn?: Turn
}

/** A log that is open for appending. After a failure it only fails: open it again, which recovers. */
export interface Sequencer {
  /**
   * Appends what is new and gives each record's position; a record that is there already keeps its
   * first position. One call at a time.
   *
   * @throws {Problem} `job-invalid` naming the records that contradict the log, after the others are
   *   in; `log-unavailable` when nothing is known about the outcome.
   */
  append(records: readonly SealedRecord[]): Promise<number[]>
  /** The published state. */
  reader(): LogReader
}

interface State {
  readonly locked: LockState
  readonly edge: Edge
}

/**
 * Recovers the log, checks its edge, brings the index up to it.
 *
 * @throws {Problem} `log-inconsistent`, or `log-unavailable` when opening again may help.
 */
export async function openSequencer(ports: SequencerPorts): Promise<Sequencer> {
  const { store, index, clock } = ports
  const { locked, checkpoint } = await recover(ports, clock.wallUs())
  let reader = readerAt(store, locked.checkpoint)
  let state: State = { locked, edge: await loadEdge(store, checkpoint, reader) }
  await catchUp(index, reader)
  if (checkpoint.size === 0 && ports.turn !== undefined) {
    const nowUs = clock.wallUs()
    state = await commit(ports, state, [{ leaf: turnRecord(ports.turn, nowUs) }], nowUs)
    reader = readerAt(store, state.locked.checkpoint)
  }
  let failure: Problem | undefined
  return {
    reader: () => reader,
    append: async (records) => {
      if (failure !== undefined) throw failure
      const nowUs = clock.wallUs()
      refuseEarlyClock(nowUs, state.locked)
      const { arrived, refused } = readAll(records, ports.sm3 === true)
      const rows = arrived.map(({ row }) => row)
      const { positions, fresh, conflicts } = await classify(index, rows, state.edge.frontier.size)
      try {
        if (fresh.length > 0) {
          const added = fresh.map((at) => arrived[at] as Arrived)
          state = await commit(ports, state, added, nowUs)
          reader = readerAt(store, state.locked.checkpoint)
        }
      } catch (cause) {
        failure = toFailure(cause)
        throw failure
      }
      refused.push(...conflicts)
      if (refused.length > 0) throw new Problem('job-invalid', refused.join('; '))
      return positions
    },
  }
}

interface Arrived {
  readonly row: IndexRow
  readonly leaf: NewRecord
}

async function commit(
  ports: SequencerPorts,
  before: State,
  added: readonly (Partial<Arrived> & Pick<Arrived, 'leaf'>)[],
  nowUs: bigint,
): Promise<State> {
  const { store, lock, index, origin, signers } = ports
  const { edge, files } = makeBatch(
    before.edge,
    added.map(({ leaf }) => leaf),
  )
  const head = { origin, size: edge.frontier.size, root: frontierRoot(edge.frontier) }
  const locked = { checkpoint: signCheckpoint(head, signers, seconds(nowUs)), timeUs: nowUs }
  // A crash here leaves nothing that counts.
  await store.put(stagingKey(head), packFiles(files))
  // From here on the batch is in the log, whatever happens.
  if (!(await lock.swap(origin, before.locked, locked))) {
    throw new Problem('log-unavailable', 'another sequencer has moved the log on')
  }
  await applyFiles(store, files, locked.checkpoint)
  await index.add(
    added.flatMap(({ row }, at) =>
      row === undefined ? [] : [{ ...row, position: before.edge.frontier.size + at }],
    ),
    { size: head.size, root: head.root.toString('base64') },
  )
  await cleanUp(store, before.edge, edge)
  await dropOldStaging(store, head.size)
  return { locked, edge }
}

/** What a crash leaves here costs room, not truth. */
async function cleanUp(store: Store, before: Edge, after: Edge): Promise<void> {
  const { prefixes, keys } = obsolete(before.frontier, after.frontier)
  const listed = await Promise.all(prefixes.map((prefix) => store.list(prefix)))
  await Promise.all([...keys, ...listed.flat()].map((key) => store.delete(key)))
}

/** Reads what can be read, so that one bad record does not hold up the others. */
function readAll(
  records: readonly SealedRecord[],
  withSm3: boolean,
): { arrived: Arrived[]; refused: string[] } {
  const arrived: Arrived[] = []
  const refused: string[] = []
  for (const record of records) {
    try {
      const row = record.known === undefined ? readRow(record) : knownRow(record, record.known)
      const { rid, kind, digest } = row
      const more = withSm3 ? { sm3: sm3(Buffer.from(record.jws)).toString('base64url') } : {}
      arrived.push({ row, leaf: { rid, kind, digest, jws: record.jws, ...more } })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      refused.push(error.message)
    }
  }
  return { arrived, refused }
}

/** The envelope must say what the signed payload says, or the queue could misfile a record. */
function readRow(record: SealedRecord): IndexRow {
  const row = indexRow(record.jws, 0)
  if (
    row.rid !== record.rid ||
    row.kind !== record.kind ||
    row.instance !== record.instance ||
    row.seq !== record.seq
  ) {
    throw new Problem('job-invalid', `the envelope of \`${row.rid}\` contradicts its payload`)
  }
  return row
}

function toFailure(cause: unknown): Problem {
  if (cause instanceof Problem) return cause
  return new Problem('log-unavailable', `the log could not be written; open it again`, { cause })
}

/** What the log gives to a dossier: records, leaves, proofs, checkpoints, time stamps. @module */
import { type ExportPorts, recordAt, witnessed } from '../export.ts'
import type { IndexRow } from '../index/index.ts'
import { parseCheckpoint } from '../log/checkpoint.ts'
import { parseLeaf } from '../log/entry.ts'
import type { LogView } from '../log/line.ts'
import { type LogReader, readerAt } from '../log/reader.ts'
import { findStamps, type Stamped } from '../timestamp/stamps.ts'
import { checkpointId, type Extension, type Parts, type RecordText, type Token } from './parts.ts'
import { formatRequest } from '../log/witness.ts'
import { Problem } from '../../base/problem.ts'
import { readRecord } from '../seal.ts'

/** A response with the checkpoint that it stamps. */
export interface Stamp {
  readonly checkpoint: string
  readonly response: Uint8Array
}

/** What was gathered. */
export interface LogParts {
  readonly records: readonly RecordText[]
  readonly stamps: readonly Stamp[]
  readonly parts: Pick<
    Parts,
    'records' | 'leaves' | 'proofs' | 'checkpoints' | 'consistency' | 'timestamps' | 'renewals'
  >
}

/** Gathers all of it for the rows, in their order. */
export async function gatherLog(ports: ExportPorts, rows: readonly IndexRow[]): Promise<LogParts> {
  const used = new Map<string, LogReader>()
  const tokens = { timestamps: [] as Token[], renewals: [] as Token[], stamps: [] as Stamp[] }
  const records: RecordText[] = []
  const leaves: RecordText[] = []
  const proofs: Parts['proofs'][number][] = []
  const keysIn = listStamps()
  for (const { rid, position } of rows) {
    const { leaf, jws, view, local } = await recordAt(ports, position)
    // The index is never the truth: the log says whether this is the record.
    if (readRecord(jws).payload.rid !== rid) {
      throw new Problem('log-inconsistent', `position ${position} holds another record than the index says`) // prettier-ignore
    }
    records.push({ rid, text: jws })
    leaves.push({ rid, text: leaf })
    const base = witnessed(view, local)
    const places = new Map([[checkpointId(base.text), base]])
    for (const stamped of await findStamps(view.store, local, await keysIn(view))) {
      const id = checkpointId(stamped.checkpoint)
      places.set(id, used.get(id) ?? readerAt(view.store, stamped.checkpoint))
      if (!tokens.timestamps.some((each) => each.checkpoint === id)) addTokens(tokens, id, stamped)
    }
    for (const [checkpoint, reader] of places) {
      used.set(checkpoint, reader)
      proofs.push({ checkpoint, rid, text: await reader.proof(local) })
    }
  }
  const seen = [...used.values()].map(({ checkpoint }) => checkpoint.origin)
  for (const { rid, leaf, reader, from } of await turnsBetween(ports, new Set(seen))) {
    leaves.push({ rid, text: leaf })
    for (const each of [reader, from]) used.set(checkpointId(each.text), each)
    proofs.push({ checkpoint: checkpointId(reader.text), rid, text: await reader.proof(0) })
  }
  const { stamps, ...files } = tokens
  const checkpoints = [...used].map(([id, { text }]) => ({ id, text }))
  const consistency = await extensions([...used.values()])
  return { records, stamps, parts: { records, leaves, proofs, checkpoints, consistency, ...files } }
}

/** A log's first leaf, the state of it that holds the leaf, and the end of the log before, which it fixes. */
interface LogTurn {
  readonly rid: string
  readonly leaf: string
  readonly reader: LogReader
  readonly from: LogReader
}

/** The links of all logs from the first to the last one that the dossier is about, newest first. */
async function turnsBetween(
  { logs }: ExportPorts,
  origins: ReadonlySet<string>,
): Promise<LogTurn[]> {
  const isUsed = ({ reader }: LogView): boolean => origins.has(reader.checkpoint.origin)
  const views = logs.slice(logs.findIndex(isUsed), logs.findLastIndex(isUsed) + 1).toReversed()
  const turns: LogTurn[] = []
  for (const [index, { reader }] of views.slice(0, -1).entries()) {
    const before = views[index + 1]
    const { leaf, jws: end } = await reader.record(0)
    const { rid } = parseLeaf(leaf) ?? {}
    // After a restore the records that were signed last may be lost: nothing proves them any more.
    if (before === undefined || rid === undefined || parseCheckpoint(end).size > before.reader.checkpoint.size) continue // prettier-ignore
    turns.push({ rid, leaf, reader, from: readerAt(before.store, end) })
  }
  return turns
}

/** Lists the stamps of each log once. */
function listStamps(): (view: LogView) => Promise<readonly string[]> {
  const lists = new Map<string, Promise<readonly string[]>>()
  return ({ name, store }) => {
    const list = lists.get(name) ?? store.list('tsr/')
    lists.set(name, list)
    return list
  }
}

function addTokens(
  tokens: { timestamps: Token[]; renewals: Token[]; stamps: Stamp[] },
  id: string,
  { checkpoint, responses, renewals }: Stamped,
): void {
  for (const [index, response] of responses.entries()) {
    const renewal = renewals[index]
    const token = { checkpoint: id, number: index + 1 }
    tokens.stamps.push({ checkpoint, response })
    tokens.timestamps.push({ ...token, bytes: response })
    if (renewal !== undefined) tokens.renewals.push({ ...token, bytes: renewal })
  }
}

/** Each checkpoint with the next larger one of its log. */
async function extensions(readers: readonly LogReader[]): Promise<Extension[]> {
  const sorted = readers
    .map((reader) => ({ reader, id: checkpointId(reader.text), ...parseCheckpoint(reader.text) }))
    .toSorted((a, b) => a.size - b.size || (a.id < b.id ? -1 : 1))
  const found: Extension[] = []
  for (const log of Map.groupBy(sorted, ({ origin }) => origin).values()) {
    for (const [index, { reader, id, size }] of log.entries()) {
      const before = log[index - 1]
      if (before === undefined || before.size === size) continue
      const proof = await reader.consistency(before.size)
      found.push({ from: before.id, to: id, text: formatRequest(before.size, proof, reader.text) })
    }
  }
  return found
}

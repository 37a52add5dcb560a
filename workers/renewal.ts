/** Renews evidence records of the log's tokens before they weaken: one scan a day. @module */
import { type Clock, toDate } from '../base/clock.ts'
import {
  encodeRecord,
  type EvidenceRecord,
  parseRecord,
  startRecord,
} from '../evidence/renewal/record.ts'
import { renewalCalendar, renewHashes, renewTimestamps } from '../evidence/renewal/renew.ts'
import { requestDigest, type TimestampSource } from '../evidence/timestamp/client.ts'
import { type DigestName, tokenOfResponse } from '../evidence/timestamp/token.ts'
import { stampedKey, type TimestampStore } from './timestamp.ts'

/** Records under one new token; their ways through its tree have up to 12 digests. */
const BATCH_RECORDS_MAX = 4096

/** What a scan needs. */
export interface RenewalPorts {
  readonly store: TimestampStore
  /** Who stamps the renewals; best an authority other than the first. */
  readonly source: TimestampSource
  readonly clock: Clock
  /** Algorithm (object identifier or digest name) → when it stops being accepted. */
  readonly sunsets?: ReadonlyMap<string, Date>
  /** The digest algorithm that hash renewal goes to. */
  readonly nextDigest?: DigestName
}

/** Where the evidence record of one token stands, once it was renewed. */
export function recordKey(size: number, source: string): string {
  return `ers/${size}.${source}.ers`
}

/** How many records a scan saw, and renewed. */
export interface RenewalCount {
  readonly seen: number
  readonly renewed: number
}

/**
 * Renews what is due. A crash in between leaves some records renewed and the rest due.
 *
 * @throws {Problem} `timestamp-unavailable` when the authority fails; the next scan goes on.
 */
export async function renewDue(ports: RenewalPorts): Promise<RenewalCount> {
  const now = toDate(ports.clock.wallUs())
  const keys = (await ports.store.list('tsr/')).filter((key) => key.endsWith('.tsr'))
  const due: Due[] = []
  for (const key of keys) {
    const record = await readRecord(ports.store, key)
    const [date] = renewalCalendar(record, ports.sunsets).filter((each) => each.due <= now)
    if (date !== undefined) due.push({ key, record, kind: date.kind })
  }
  // Only records under one digest algorithm can share a token.
  const groups = Map.groupBy(
    due,
    ({ record, kind }) => `${kind} ${record.chains.at(-1)?.at(-1)?.digest}`,
  )
  for (const group of groups.values()) {
    for (let start = 0; start < group.length; start += BATCH_RECORDS_MAX) {
      await renewBatch(ports, group.slice(start, start + BATCH_RECORDS_MAX))
    }
  }
  return { seen: keys.length, renewed: due.length }
}

interface Due {
  /** Of the first token's response. */
  readonly key: string
  readonly record: EvidenceRecord
  readonly kind: 'timestamp' | 'hash'
}

async function renewBatch(ports: RenewalPorts, batch: readonly Due[]): Promise<void> {
  const { store, source, clock, nextDigest = 'SHA-512' } = ports
  const stamp = async (name: DigestName, value: Uint8Array): Promise<Uint8Array> =>
    tokenOfResponse((await requestDigest(source, name, value, clock)).response)
  const renewed =
    batch[0]?.kind === 'hash'
      ? await renewHashes(
          await Promise.all(batch.map((each) => withData(store, each))),
          nextDigest,
          stamp,
        )
      : await renewTimestamps(
          batch.map(({ record }) => record),
          stamp,
        )
  for (const [index, record] of renewed.entries()) {
    const { size, name } = parseKey(batch[index]?.key ?? '')
    await store.put(recordKey(size, name), encodeRecord(record))
  }
}

async function withData(store: TimestampStore, { key, record }: Due) {
  return { record, data: await need(store, stampedKey(parseKey(key).size)) }
}

/** The renewed record; before the first renewal, the token itself. */
async function readRecord(store: TimestampStore, key: string): Promise<EvidenceRecord> {
  const { size, name } = parseKey(key)
  const stored = await store.get(recordKey(size, name))
  if (stored !== undefined) return parseRecord(stored)
  return startRecord(tokenOfResponse(await need(store, key)))
}

async function need(store: TimestampStore, key: string): Promise<Uint8Array> {
  const bytes = await store.get(key)
  if (bytes === undefined) throw new Error(`${key} is missing`)
  return bytes
}

/** `tsr/<size>.<source>.tsr` */
function parseKey(key: string): { size: number; name: string } {
  const [, size = '', name = ''] = /^tsr\/(\d+)\.(.+)\.tsr$/.exec(key) ?? []
  return { size: Number(size), name }
}

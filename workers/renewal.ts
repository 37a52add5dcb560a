/** Renews evidence records of the log's tokens before they weaken: one scan a day. @module */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, toDate } from '../base/clock.ts'
import {
  encodeRecord,
  type EvidenceRecord,
  parseRecord,
  startRecord,
} from '../evidence/renewal/record.ts'
import {
  type RenewalDate,
  renewalCalendar,
  renewHashes,
  renewTimestamps,
} from '../evidence/renewal/renew.ts'
import { requestDigest, type TimestampSource } from '../evidence/timestamp/client.ts'
import { type DigestName, tokenOfResponse } from '../evidence/timestamp/token.ts'
import { parseResponseKey, recordKey, stampedKey } from '../evidence/timestamp/stamps.ts'
import type { TimestampStore } from './timestamp.ts'

/** Records under one new token; their ways through its tree have up to 12 digests. */
const BATCH_RECORDS_MAX = 4096
/** Between two looks at the clock, and between two scans of it. */
const POLL_MS = 60_000
const SCAN_MS = 86_400_000

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

/** What the daily scan needs. */
export interface DailyPorts extends Omit<RenewalPorts, 'store'> {
  /** The stores of all logs. */
  readonly logs: () => Promise<readonly TimestampStore[]>
  readonly alarm: (message: string, error?: unknown) => void
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
  const keys = (await ports.store.list('tsr/')).filter((key) => parseResponseKey(key) !== undefined)
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

/** What is to be done about one token, and by when. */
export interface CalendarEntry extends RenewalDate {
  /** Tree size of the stamped checkpoint, and who stamped it. */
  readonly size: number
  readonly source: string
  /** Tokens in its evidence record so far: 1 before the first renewal. */
  readonly tokens: number
}

/** The renewal calendar of a log: for each token the first thing that is due, earliest first. */
export async function readCalendar(
  store: Omit<TimestampStore, 'put'>,
  sunsets?: ReadonlyMap<string, Date>,
): Promise<CalendarEntry[]> {
  const entries: CalendarEntry[] = []
  for (const key of await store.list('tsr/')) {
    if (parseResponseKey(key) === undefined) continue
    const record = await readRecord(store, key)
    const [first] = renewalCalendar(record, sunsets)
    const tokens = record.chains.flat().length
    if (first !== undefined) entries.push({ ...parseKey(key), ...first, tokens })
  }
  return entries.sort((a, b) => a.due.getTime() - b.due.getTime() || a.size - b.size)
}

/** Scans at once and then once a day by `clock`, until closed; a failed scan alarms and comes again. */
export function startRenewal(ports: DailyPorts): { close(): Promise<void> } {
  const stop = new AbortController()
  const loop = repeat(ports, stop.signal)
  return {
    close: async () => {
      stop.abort()
      await loop
    },
  }
}

async function repeat(ports: DailyPorts, signal: AbortSignal): Promise<void> {
  let nextMs = Number.NEGATIVE_INFINITY
  while (!signal.aborted) {
    const nowMs = Number(ports.clock.wallUs() / 1000n)
    if (nowMs >= nextMs) {
      nextMs = nowMs + SCAN_MS
      await renewAll(ports).catch((error: unknown) => {
        ports.alarm('time stamps could not be renewed; the next scan tries again', error)
      })
    }
    try {
      await sleep(POLL_MS, undefined, { signal, ref: false })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

async function renewAll({ logs, ...ports }: DailyPorts): Promise<void> {
  for (const store of await logs()) await renewDue({ ...ports, store })
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
    const { size, source: name } = parseKey(batch[index]?.key ?? '')
    await store.put(recordKey(size, name), encodeRecord(record))
  }
}

async function withData(store: TimestampStore, { key, record }: Due) {
  return { record, data: await need(store, stampedKey(parseKey(key).size)) }
}

type Reading = Pick<TimestampStore, 'get'>

/** The renewed record; before the first renewal, the token itself. */
async function readRecord(store: Reading, key: string): Promise<EvidenceRecord> {
  const { size, source } = parseKey(key)
  const stored = await store.get(recordKey(size, source))
  if (stored !== undefined) return parseRecord(stored)
  return startRecord(tokenOfResponse(await need(store, key)))
}

async function need(store: Reading, key: string): Promise<Uint8Array> {
  const bytes = await store.get(key)
  if (bytes === undefined) throw new Error(`${key} is missing`)
  return bytes
}

function parseKey(key: string): { size: number; source: string } {
  const parsed = parseResponseKey(key)
  if (parsed === undefined) throw new Error(`${key} is not a time stamp`)
  return parsed
}

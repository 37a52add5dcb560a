/** Stamps the log's checkpoints with every time stamping authority. @module */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { parseCheckpoint } from '../evidence/log/checkpoint.ts'
import { CHECKPOINT_KEY } from '../evidence/log/reader.ts'
import { requestTimestamp, type TimestampSource } from '../evidence/timestamp/client.ts'
import {
  parseResponseKey,
  responseKey,
  revocationKey,
  sm2Key,
  stampedKey,
} from '../evidence/timestamp/stamps.ts'

const POLL_MS = 1000
const BACKOFF_MS = { first: 1000, max: 60_000 } as const
const ALARM_AFTER_MS = 600_000

/** Objects by key, as the log's store gives them: `put` is durable and whole. */
export interface TimestampStore {
  put(key: string, bytes: Uint8Array): Promise<void>
  get(key: string): Promise<Uint8Array | undefined>
  list(prefix: string): Promise<string[]>
}

/** A checkpoint: its tree size, and its signed text. */
export interface Head {
  readonly size: number
  readonly bytes: Uint8Array
}

/** What the worker needs. */
export interface TimestampPorts {
  readonly store: TimestampStore
  /** The published checkpoint; undefined before the first. */
  readonly checkpoint: () => Promise<Head | undefined>
  readonly sources: readonly TimestampSource[]
  /** Signs the stamped bytes under SM2; they are not when absent. */
  readonly countersign?: (bytes: Uint8Array) => Promise<Uint8Array>
  readonly clock: Clock
  /** A stamp is due after so many milliseconds, or so many records, whichever is first. */
  readonly intervalMs: number
  readonly recordsMax: number
  /** Logger port. Called once when an authority is out for ten minutes, and when it is back. */
  readonly alarm: (message: string, error?: unknown) => void
}

/** Stamps on demand. Calls must not overlap. */
export interface Stamper {
  /** Stamps what is due. Never rejects. */
  step(): Promise<void>
  /** Stamps the newest checkpoint at once, for a hold or an export. @throws {Problem} */
  now(): Promise<void>
}

/** What the worker needs beyond a stamper of one log. */
export interface TimestampWorkerPorts extends Omit<TimestampPorts, 'store' | 'checkpoint'> {
  /** The stores of all logs, oldest first; none before the first record. */
  readonly logs: () => Promise<readonly TimestampStore[]>
}

/**
 * Stamps the newest log's checkpoints until it is closed. A log that another one follows is looked
 * at once more, so that its last checkpoint has its tokens too.
 */
export function startTimestampWorker(ports: TimestampWorkerPorts): { close(): Promise<void> } {
  const stop = new AbortController()
  const loop = run(ports, stop.signal)
  return {
    close: async () => {
      stop.abort()
      await loop
    },
  }
}

async function run(ports: TimestampWorkerPorts, signal: AbortSignal): Promise<void> {
  const stampers = new Map<number, Stamper>()
  const look = async (): Promise<void> => {
    const logs = await ports.logs()
    for (const [at, store] of logs.entries()) {
      // Of the earlier ones only the last may still owe tokens.
      if (at < logs.length - 2) continue
      const stamper = stampers.get(at) ?? (await createStamper({ ...ports, ...storePorts(store) }))
      stampers.set(at, stamper)
      await stamper.step()
    }
  }
  while (!signal.aborted) {
    await look().catch((error: unknown) =>
      ports.alarm('the logs cannot be read to be stamped', error),
    )
    try {
      await sleep(POLL_MS, undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

function storePorts(store: TimestampStore): Pick<TimestampPorts, 'store' | 'checkpoint'> {
  const checkpoint = async (): Promise<Head | undefined> => {
    const bytes = await store.get(CHECKPOINT_KEY)
    return bytes && { size: parseCheckpoint(Buffer.from(bytes).toString()).size, bytes }
  }
  return { store, checkpoint }
}

/** Reads how far each authority has come, and goes on from there. */
export async function createStamper(ports: TimestampPorts): Promise<Stamper> {
  const keys = await ports.store.list('tsr/')
  const lines = ports.sources.map((source) => openLine(keys, source))
  return {
    step: async () => {
      const nowMs = monotonicMs(ports.clock)
      const ready = lines.filter(
        ({ failure }) => failure === undefined || nowMs >= failure.retryAtMs,
      )
      try {
        const head = await ports.checkpoint()
        // A log that could not be read once owes nobody a token once it can be read again.
        for (const line of ready) if (line.size === (head?.size ?? 0)) delete line.failure
        const due = ready.filter(
          (line) => head !== undefined && isDue(ports, line, head.size, nowMs),
        )
        const results = await Promise.allSettled(await stampLines(ports, due, head))
        for (const [index, result] of results.entries()) {
          const line = due[index]
          if (line !== undefined && result.status === 'rejected')
            noteFailure(ports, line, result.reason)
        }
      } catch (error) {
        for (const line of ready) noteFailure(ports, line, error)
      }
    },
    now: async () => {
      const head = await ports.checkpoint()
      const behind = lines.filter(({ size }) => head !== undefined && size < head.size)
      await Promise.all(await stampLines(ports, behind, head))
    },
  }
}

/** One authority and how far it has come. */
interface Line {
  readonly source: TimestampSource
  size: number
  stampedAtMs: number
  /** Of the failures since the last token. */
  failure?: { readonly sinceMs: number; backoffMs: number; retryAtMs: number; alarmed: boolean }
}

function openLine(keys: readonly string[], source: TimestampSource): Line {
  const size = keys
    .map((key) => parseResponseKey(key))
    .reduce((most, key) => (key?.source === source.name ? Math.max(most, key.size) : most), 0)
  return { source, size, stampedAtMs: Number.NEGATIVE_INFINITY }
}

function isDue(
  { intervalMs, recordsMax }: TimestampPorts,
  line: Line,
  size: number,
  nowMs: number,
): boolean {
  const records = size - line.size
  return records > 0 && (nowMs - line.stampedAtMs >= intervalMs || records >= recordsMax)
}

/**
 * Order matters: the stamped bytes are durable before any token exists, so that a crash leaves no
 * token over bytes that nobody has. While an authority is out, it misses checkpoints: its next
 * token covers all records before.
 */
async function stampLines(
  ports: TimestampPorts,
  lines: readonly Line[],
  head: Head | undefined,
): Promise<Promise<void>[]> {
  if (head === undefined || lines.length === 0) return []
  // This size may have been stamped before a restart; then these bytes, not newly signed ones.
  const stored = await ports.store.get(stampedKey(head.size))
  if (stored === undefined) await ports.store.put(stampedKey(head.size), head.bytes)
  const bytes = stored ?? head.bytes
  if (ports.countersign !== undefined && (await ports.store.get(sm2Key(head.size))) === undefined) {
    await ports.store.put(sm2Key(head.size), await ports.countersign(bytes))
  }
  return lines.map((line) => stampLine(ports, line, { ...head, bytes }))
}

async function stampLine(ports: TimestampPorts, line: Line, head: Head): Promise<void> {
  const { store, clock, alarm } = ports
  const { response, revocationLists } = await requestTimestamp(line.source, head.bytes, clock)
  for (const list of revocationLists) {
    const key = revocationKey(list)
    if ((await store.get(key)) === undefined) await store.put(key, list)
  }
  await store.put(responseKey(head.size, line.source.name), response)
  line.size = head.size
  line.stampedAtMs = monotonicMs(clock)
  if (line.failure?.alarmed === true) alarm(`time stamping by \`${line.source.name}\` works again`)
  delete line.failure
}

function noteFailure({ clock, alarm }: TimestampPorts, line: Line, error: unknown): void {
  const nowMs = monotonicMs(clock)
  const { sinceMs = nowMs, backoffMs = BACKOFF_MS.first / 2, alarmed = false } = line.failure ?? {}
  const next = Math.min(backoffMs * 2, BACKOFF_MS.max)
  const late = !alarmed && nowMs - sinceMs >= ALARM_AFTER_MS
  line.failure = { sinceMs, backoffMs: next, retryAtMs: nowMs + next, alarmed: alarmed || late }
  if (late) alarm(`no time stamp by \`${line.source.name}\` for ten minutes`, error)
}

function monotonicMs(clock: Clock): number {
  return Number(clock.monotonicNs() / 1_000_000n)
}

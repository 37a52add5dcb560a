/** The lock store: the newest checkpoint that was ever signed, changed only by compare-and-swap. @module */
import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** What the lock remembers of a log. */
export interface LockState {
  /** The signed checkpoint. */
  readonly checkpoint: string
  /** Wall clock when it was signed, microseconds since the Unix epoch. */
  readonly timeUs: bigint
}

/**
 * Holds one row per log. It SHOULD live on another medium than the log and MUST never be restored
 * from a backup: it is what makes a restored log visible as such.
 *
 * `swap` is atomic and durable: of two sequencers that read the same state, one wins.
 */
export interface LockStore {
  /** Every log that it knows, in no order. */
  origins(): Promise<string[]>
  read(origin: string): Promise<LockState | undefined>
  swap(origin: string, expected: LockState | undefined, next: LockState): Promise<boolean>
  close(): void
}

/** Opens the lock store in an SQLite file, made 0600 when absent. */
export function openLockStore(path: string): LockStore {
  const database = new DatabaseSync(path, { timeout: 5_000 })
  chmodSync(path, 0o600)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec(
    `CREATE TABLE IF NOT EXISTS head (
      origin TEXT PRIMARY KEY, checkpoint TEXT NOT NULL, time_us INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
  )
  const select = database.prepare('SELECT checkpoint, time_us FROM head WHERE origin = ?')
  select.setReadBigInts(true)
  const insert = database.prepare('INSERT INTO head VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const update = database.prepare(
    'UPDATE head SET checkpoint = ?, time_us = ? WHERE origin = ? AND checkpoint = ?',
  )
  const selectOrigins = database.prepare('SELECT origin FROM head')
  return {
    origins: async () => selectOrigins.all().map((row) => String(row['origin'])),
    read: async (origin) => {
      const row = select.get(origin)
      if (row === undefined) return undefined
      return { checkpoint: String(row['checkpoint']), timeUs: BigInt(String(row['time_us'])) }
    },
    swap: async (origin, expected, next) => {
      const { changes } =
        expected === undefined
          ? insert.run(origin, next.checkpoint, next.timeUs)
          : update.run(next.checkpoint, next.timeUs, origin, expected.checkpoint)
      return Number(changes) === 1
    },
    close: () => {
      database.close()
    },
  }
}

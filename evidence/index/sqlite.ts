/** The embedded index, in one SQLite file. @module */
import { rmSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Problem } from '../../base/problem.ts'
import { EMPTY_ROOT } from '../log/merkle.ts'
import {
  type EvidenceIndex,
  type IndexQuery,
  type IndexRow,
  type KnownRecord,
  SEARCH_ROWS_MAX,
} from './index.ts'

/** Changes when the tables change; an index of another version is dropped and filled again. */
const SCHEMA_VERSION = 2

/**
 * Positions whose link keys stand together. Link keys fall all over their tree: with the segment
 * before the key, what is being filled stays small enough for memory, however long the log; a look-up
 * costs one descent for each segment.
 */
const SEGMENT_RECORDS = 262_144

const SCHEMA = `
  CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 0), size INTEGER NOT NULL, root TEXT NOT NULL) STRICT;
  CREATE TABLE record (
    position INTEGER PRIMARY KEY, rid TEXT NOT NULL, digest TEXT NOT NULL, kind TEXT NOT NULL,
    instance INTEGER NOT NULL, seq INTEGER NOT NULL, received_us INTEGER NOT NULL,
    caller TEXT, recipient TEXT, route TEXT, policy TEXT, links TEXT NOT NULL) STRICT;
  CREATE UNIQUE INDEX record_rid ON record (rid);
  CREATE UNIQUE INDEX record_seq ON record (instance, seq);
  CREATE INDEX record_received ON record (received_us);
  CREATE TABLE instance (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE segment (id INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE link (segment INTEGER, key TEXT, position INTEGER,
    PRIMARY KEY (segment, key, position)) STRICT, WITHOUT ROWID;
  INSERT INTO head VALUES (0, 0, '${EMPTY_ROOT.toString('base64')}');
  PRAGMA user_version = ${SCHEMA_VERSION};`

const COLUMNS = `position, rid, digest, kind, instance.name AS instance, seq, received_us,
  caller, recipient, route, policy, links`
/** CROSS JOIN fixes the order: for each segment one descent to the key. */
const LINKED = 'SELECT position FROM segment CROSS JOIN link ON link.segment = segment.id'
const FROM = 'record JOIN instance ON instance.id = record.instance'

/** Primary SQLite result codes of a damaged file: SQLITE_CORRUPT, SQLITE_NOTADB. */
const DAMAGED: readonly unknown[] = [11, 26]

/**
 * Opens the index, making or remaking its tables when they are absent or of another version. A
 * damaged file is deleted: the log fills a new one.
 */
export function openSqliteIndex(path: string): EvidenceIndex {
  try {
    return open(path)
  } catch (error) {
    if (!(error instanceof Error && 'errcode' in error && DAMAGED.includes(error.errcode))) {
      throw error
    }
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    return open(path)
  }
}

function open(path: string): EvidenceIndex {
  const database = new DatabaseSync(path, { timeout: 5_000 })
  // NORMAL: a power cut may lose the last transactions, and the log fills them in again.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  // KiB and pages: link keys fall all over their tree, and what is in memory is written once.
  database.exec('PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8192')
  const version = database.prepare('PRAGMA user_version').get()?.['user_version']
  if (version !== SCHEMA_VERSION) remake(database)
  return makeIndex(database)
}

function remake(database: DatabaseSync): void {
  inTransaction(database, 'IMMEDIATE', () => {
    database.exec(
      `DROP TABLE IF EXISTS head; DROP TABLE IF EXISTS record;
       DROP TABLE IF EXISTS link; DROP TABLE IF EXISTS instance; DROP TABLE IF EXISTS segment`,
    )
    database.exec(SCHEMA)
  })
}

function makeIndex(database: DatabaseSync): EvidenceIndex {
  const known = 'SELECT position, rid, digest FROM record'
  const byRid = database.prepare(`${known} WHERE rid = ?`)
  const bySeq = database.prepare(`${known} WHERE instance = ? AND seq = ?`)
  const selectInstance = database.prepare('SELECT id FROM instance WHERE name = ?')
  const insertInstance = database.prepare('INSERT INTO instance (name) VALUES (?)')
  const insert = database.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertLink = database.prepare('INSERT INTO link VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const insertSegment = database.prepare('INSERT INTO segment VALUES (?) ON CONFLICT DO NOTHING')
  const setHead = database.prepare('UPDATE head SET size = ?, root = ?')
  const selectHead = database.prepare('SELECT size, root FROM head')
  const instanceId = (name: string): number | undefined => {
    const id = selectInstance.get(name)?.['id']
    return id === undefined ? undefined : Number(id)
  }
  return {
    head: async () => {
      const row = selectHead.get()
      return { size: Number(row?.['size'] ?? 0), root: String(row?.['root']) }
    },
    match: async (names) =>
      // One transaction: each query of its own would take and drop the file's locks.
      inTransaction(database, 'DEFERRED', () => {
        const ids = memo(instanceId)
        return names.map(({ rid, instance, seq }) => {
          const id = ids(instance)
          const row = byRid.get(rid) ?? (id === undefined ? undefined : bySeq.get(id, seq))
          return row === undefined ? undefined : toKnown(row)
        })
      }),
    add: async (rows, { size, root }) => {
      inTransaction(database, 'IMMEDIATE', () => {
        const ids = memo(
          (name: string) => instanceId(name) ?? insertInstance.run(name).lastInsertRowid,
        )
        const segments = memo((id: number) => insertSegment.run(id))
        for (const row of rows) {
          insert.run(...columnsOf(row, ids(row.instance)))
          const segment = Math.floor(row.position / SEGMENT_RECORDS)
          segments(segment)
          for (const key of Object.values(row.links)) insertLink.run(segment, key, row.position)
        }
        setHead.run(size, root)
      })
    },
    search: async (query) => {
      const { sql, values } = searchSql(query)
      return database
        .prepare(sql)
        .all(...values)
        .map(toRow)
    },
    clear: async () => remake(database),
    close: async () => {
      database.close()
    },
  }
}

/** A batch has few instances and segments: each is looked up once. */
function memo<Key, Value>(find: (name: Key) => Value): (name: Key) => Value {
  const found = new Map<Key, Value>()
  return (name) => {
    if (!found.has(name)) found.set(name, find(name))
    return found.get(name) as Value
  }
}

function columnsOf(row: IndexRow, instance: number | bigint): SQLInputValue[] {
  return [
    ...[row.position, row.rid, row.digest, row.kind, instance, row.seq, row.receivedUs],
    ...[row.caller ?? null, row.recipient ?? null, row.route ?? null, row.policy ?? null],
    JSON.stringify(row.links),
  ]
}

function searchSql(query: IndexQuery): { sql: string; values: SQLInputValue[] } {
  const conditions: string[] = []
  const values: SQLInputValue[] = []
  const where = (condition: string, value: SQLInputValue | undefined): void => {
    if (value === undefined) return
    conditions.push(condition)
    values.push(value)
  }
  where('rid = ?', query.rid)
  where('received_us >= ?', query.sinceUs)
  where('received_us < ?', query.untilUs)
  where('kind = ?', query.kind)
  where('caller = ?', query.caller)
  where('recipient = ?', query.recipient)
  where('? IN (caller, recipient)', query.party)
  where('route = ?', query.route)
  if (query.policy?.includes('@') === true) where('policy = ?', query.policy)
  else where("substr(policy, 1, instr(policy, '@') - 1) = ?", query.policy)
  where('position >= ?', query.from)
  where(`position IN (${LINKED} WHERE link.key = ?)`, query.link)
  where(
    `position IN (${LINKED} WHERE link.key IN
      (SELECT value FROM record, json_each(record.links) WHERE rid = ?))`,
    query.case,
  )
  const filter = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  values.push(Math.min(query.limit ?? SEARCH_ROWS_MAX, SEARCH_ROWS_MAX))
  return { sql: `SELECT ${COLUMNS} FROM ${FROM} ${filter} ORDER BY position LIMIT ?`, values }
}

type Row = ReturnType<StatementSync['all']>[number]

function toKnown(row: Row): KnownRecord {
  return {
    position: Number(row['position']),
    digest: String(row['digest']),
    rid: String(row['rid']),
  }
}

function toRow(row: Row): IndexRow {
  const text = (name: 'caller' | 'recipient' | 'route' | 'policy'): Record<string, string> =>
    row[name] === null ? {} : { [name]: String(row[name]) }
  return {
    ...toKnown(row),
    kind: String(row['kind']) as IndexRow['kind'],
    instance: String(row['instance']),
    seq: Number(row['seq']),
    receivedUs: Number(row['received_us']),
    ...text('caller'),
    ...text('recipient'),
    ...text('route'),
    ...text('policy'),
    links: JSON.parse(String(row['links'])) as Record<string, string>,
  }
}

/** SQLite has no nested transactions; nothing here needs them. @throws {Problem} `log-unavailable`. */
function inTransaction<Result>(
  database: DatabaseSync,
  mode: 'DEFERRED' | 'IMMEDIATE',
  work: () => Result,
): Result {
  database.exec(`BEGIN ${mode}`)
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw new Problem('log-unavailable', 'the index failed', { cause: error })
  }
}

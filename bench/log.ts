/**
 * The log: append rate, look-up and proof times from 10^4 records on, bytes per record, verify rate.
 * `node bench/log.ts [RECORDS]`, 10^5 unless told; beyond 10^6 the leaves are synthetic and have no
 * records beside them, and their rate says nothing of appending. Each answer is checked before it is
 * timed. 10^7 take 8 GB and some ten minutes. @module
 */
import { hash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, toTimestamp } from '../base/clock.ts'
import { uuidv7 } from '../base/uuid.ts'
import { exportRecord } from '../evidence/export.ts'
import type { EvidenceIndex, IndexRow } from '../evidence/index/index.ts'
import { openSqliteIndex } from '../evidence/index/sqlite.ts'
import { makeBatch } from '../evidence/log/batch.ts'
import { signCheckpoint } from '../evidence/log/checkpoint.ts'
import { frontierRoot } from '../evidence/log/frontier.ts'
import { openLogKeys, readLogVerifiers } from '../evidence/log/keys.ts'
import { loadEdge } from '../evidence/log/load.ts'
import { leafHash, verifyInclusion } from '../evidence/log/merkle.ts'
import { BATCH_RECORDS_MAX } from '../evidence/log/limits.ts'
import type { Log } from '../evidence/log/log.ts'
import { indexPath, type LogPlaces, openLog } from '../evidence/log/open.ts'
import { parseProof } from '../evidence/log/proof.ts'
import { type LogReader, openReader } from '../evidence/log/reader.ts'
import { applyFiles } from '../evidence/log/recover.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import type { SealedRecord } from '../evidence/record.ts'
import { createSealer, FIRST_PREV, recordDigest } from '../evidence/seal.ts'
import { createExportVerifier } from '../evidence/verify.ts'
import { openSealIdentity } from '../evidence/x509-identity.ts'

const START_MS = 1_793_491_200_000
const SAMPLES = 200
const VERIFY_PASSES = 8
/** Up to here records are appended as in service. */
const REAL_RECORDS_MAX = 1_000_000

/** Records of the usual size; their signatures are noise, which the log does not look at. */
function recordSource(): (count: number) => SealedRecord[] {
  const instance = uuidv7(START_MS, Buffer.alloc(10, 7))
  const header = `{"alg":"ES256","iat":1793491200,"typ":"evr+jwt","x5t#S256":"${'A'.repeat(43)}"}`
  let [seq, prev] = [0, FIRST_PREV]
  const next = (): SealedRecord => {
    seq += 1
    const noise = hash('sha512', `${seq}`, 'buffer')
    const rid = uuidv7(START_MS + Math.floor(seq / 20), noise.subarray(0, 10))
    const payload = {
      ...{ v: 1, kind: 'exchange', rid, instance, seq, prev },
      caller: { id: 'sunrise-platform', auth: 'jwt', key: 'k1' },
      recipient: 'harbour-bank',
      route: 'POST /credit/applications',
      policy: { id: 'credit-application', version: 3, digest: `sha256:${'0'.repeat(64)}` },
      links: { application: noise.toString('base64url', 10, 26), borrower: noise.toString('base64url', 26, 42) }, // prettier-ignore
      times: { received: toTimestamp(BigInt(START_MS + Math.floor(seq / 20)) * 1000n) },
      _sd: Array.from({ length: 8 }, () => noise.toString('base64url', 0, 32)),
      _sd_alg: 'sha-256',
    }
    const parts = [Buffer.from(header), Buffer.from(JSON.stringify(payload)), noise]
    const jws = parts.map((part) => part.toString('base64url')).join('.')
    prev = recordDigest(jws)
    return { rid, kind: 'exchange', instance, seq, jws }
  }
  return (count) => Array.from({ length: count }, next)
}

/** Appends in batches of the largest size; what it takes to make the records does not count. */
async function append(log: Log, records: (count: number) => SealedRecord[], count: number) {
  let [elapsedMs, cpuUs] = [0, 0]
  for (let left = count; left > 0; left -= BATCH_RECORDS_MAX) {
    const batch = records(Math.min(left, BATCH_RECORDS_MAX))
    const [start, cpu] = [performance.now(), process.cpuUsage()]
    await log.append(batch)
    elapsedMs += performance.now() - start
    const { user, system } = process.cpuUsage(cpu)
    cpuUs += user + system
  }
  return [Math.round((count / elapsedMs) * 1000), (cpuUs / count).toFixed(1)]
}

/** Fills the log with leaves whose records nobody has: tiles, entries and index as the sequencer writes them. */
async function fill(places: LogPlaces, count: number): Promise<string[]> {
  const store = openFolderStore(places.log)
  const signers = openLogKeys(join(places.data, 'keys'), places.origin)
  const [reader, index] = [await openReader(store), openSqliteIndex(indexPath(places.data))]
  let edge = await loadEdge(store, reader.checkpoint, reader)
  const started = performance.now()
  for (let left = count; left > 0; left -= BATCH_RECORDS_MAX) {
    const first = edge.frontier.size
    const rows = Array.from({ length: Math.min(left, BATCH_RECORDS_MAX) }, (_, at) => syntheticRow(first + at)) // prettier-ignore
    const batch = makeBatch(
      edge,
      rows.map(({ rid, kind, digest }) => ({ rid, kind, digest, jws: 'x' })),
    )
    edge = batch.edge
    const head = { origin: places.origin, size: edge.frontier.size, root: frontierRoot(edge.frontier) } // prettier-ignore
    await applyFiles(store, batch.files, signCheckpoint(head, signers, 0))
    await index.add(rows, { size: head.size, root: head.root.toString('base64') })
  }
  await index.close()
  return [`(${Math.round((count / (performance.now() - started)) * 1000)})`, '-']
}

function syntheticRow(position: number): IndexRow {
  const noise = hash('sha512', `synthetic ${position}`, 'buffer')
  return {
    ...{ position, digest: noise.toString('base64url', 0, 32), kind: 'exchange' as const },
    rid: uuidv7(START_MS + Math.floor(position / 20), noise.subarray(0, 10)),
    ...{ instance: 'synthetic', seq: position, caller: 'sunrise-platform', recipient: 'harbour-bank' }, // prettier-ignore
    ...{ route: 'POST /credit/applications', policy: 'credit-application@3' },
    receivedUs: (START_MS + Math.floor(position / 20)) * 1000,
    links: { application: noise.toString('base64url', 10, 26), borrower: noise.toString('base64url', 26, 42) }, // prettier-ignore
  }
}

async function sample(size: number, work: (position: number) => Promise<void>): Promise<string> {
  const times: number[] = []
  for (let at = 0; at < SAMPLES; at += 1) {
    // Spread over the whole log, the last partial tile included.
    const position = Math.floor(((at + 1) / SAMPLES) * (size - 1))
    const start = performance.now()
    await work(position)
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  return `${times[SAMPLES / 2]?.toFixed(2)} / ${times[Math.floor(SAMPLES * 0.99)]?.toFixed(2)}`
}

async function proveOne(reader: LogReader, position: number): Promise<void> {
  const [{ leaf }, text] = await Promise.all([reader.record(position), reader.proof(position)])
  const { index, hashes } = parseProof(text)
  const { size, root } = reader.checkpoint
  if (!verifyInclusion(index, size, leafHash(Buffer.from(leaf)), root, hashes)) {
    throw new Error(`the proof of ${position} does not verify`)
  }
}

async function findOne(index: EvidenceIndex, rids: ReadonlyMap<number, string>, position: number) {
  const [row] = await index.search({ rid: rids.get(position) ?? '' })
  if (row?.position !== position) throw new Error(`look-up of ${position} went wrong`)
}

/** The records of one case: by the link keys of one of them. */
async function findLinked(
  index: EvidenceIndex,
  rids: ReadonlyMap<number, string>,
  position: number,
) {
  const rows = await index.search({ case: rids.get(position) ?? '' })
  if (!rows.some((row) => row.position === position)) throw new Error('a case lacks its own record')
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function bytesBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

/** Verifies records of one seal key under one checkpoint, as in a dossier; CPU time of one core. */
async function verifyRate(data: string, places: LogPlaces): Promise<string> {
  const clock = systemClock
  const names = { instance: 'bench', organization: 'Bench', clock }
  const identity = await openSealIdentity(join(data, 'keys'), names)
  const chain = [identity.certificateDer, ...identity.chainDer]
  const seal = createSealer(identity)
  const records = recordSource()(512).map(({ jws, ...record }) => {
    const payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()
    return { ...record, jws: seal(payload, Number(clock.wallUs() / 1_000_000n)) }
  })
  const log = await openLog(places)
  await log.append(records)
  const [reader, index] = [log.reader(), openSqliteIndex(indexPath(places.data))]
  const logKeys = readLogVerifiers(join(places.data, 'keys'), places.origin)
  const store = openFolderStore(places.log)
  const view = { name: '2026h2', store, offset: 0, reader, cosigned: undefined, logKeys }
  const ports = { logs: [view], index, chainOf: () => chain, timestampRoots: [] }
  const exported = await Promise.all(records.map(({ rid }) => exportRecord(ports, rid)))
  const verify = createExportVerifier({ roots: chain.slice(-1), logKeys })
  const verifyAll = async (): Promise<void> => {
    for (const record of exported) {
      const { verdict } = await verify(record)
      if (verdict !== 'valid') throw new Error(`a record is ${verdict}`)
    }
  }
  await verifyAll() // The first pass warms up and finds the path.
  const start = process.cpuUsage()
  for (let pass = 0; pass < VERIFY_PASSES; pass += 1) await verifyAll()
  const { user, system } = process.cpuUsage(start)
  await index.close()
  await log.close()
  return `verify: ${Math.round(((exported.length * VERIFY_PASSES) / (user + system)) * 1e6)} records/s and core, chain and checkpoint shared\n`
}

const data = mkdtempSync(join(tmpdir(), 'sealgate-bench-'))
const places = { data, log: join(data, 'log'), origin: 'bench.test/evr' }
const total = Number(process.argv[2] ?? 100_000)
const records = recordSource()
const log = await openLog(places)
process.stdout.write(
  'records     append/s   CPU µs/rec   proof p50/p99 ms   by id p50/p99 ms     case p50/p99 ms   tiles B/rec   entries B/rec   records B/rec   index B/rec\n',
)
let appending = true
for (let size = 0, goal = 10_000; goal <= total; goal *= 10) {
  if (appending && goal > REAL_RECORDS_MAX) {
    await log.close()
    appending = false
  }
  const rate = appending ? await append(log, records, goal - size) : await fill(places, goal - size)
  size = goal
  const reader = await openReader(openFolderStore(places.log))
  const index = openSqliteIndex(indexPath(data))
  const rids = new Map<number, string>()
  for (let at = 0; at < SAMPLES; at += 1) {
    const position = Math.floor(((at + 1) / SAMPLES) * (size - 1))
    rids.set(position, (await reader.record(position)).leaf.split(' ')[1] ?? '')
  }
  const proof = await sample(size, (position) => proveOne(reader, position))
  const find = await sample(size, (position) => findOne(index, rids, position))
  const linked = await sample(size, (position) => findLinked(index, rids, position))
  await index.close()
  const entries = bytesBelow(join(places.log, 'tile/entries')) / size
  const tiles = bytesBelow(join(places.log, 'tile')) / size - entries
  const bundles = appending ? bytesBelow(join(places.log, 'record')) / size : Number.NaN
  // The write-ahead log that is not folded in yet counts too.
  const rows = (sizeOf(indexPath(data)) + sizeOf(`${indexPath(data)}-wal`)) / size
  const columns = [size, ...rate, proof, find, linked, ...[tiles, entries, bundles, rows].map((b) => b.toFixed(1))] // prettier-ignore
  const widths = [9, 11, 13, 19, 19, 19, 14, 16, 16, 14]
  process.stdout.write(`${columns.map((text, at) => String(text).padStart(widths[at] ?? 0)).join('')}\n`) // prettier-ignore
}
if (appending) await log.close()
const small = {
  data: join(data, 'verify'),
  log: join(data, 'verify/log'),
  origin: 'bench.test/evr',
}
process.stdout.write(await verifyRate(data, small))
rmSync(data, { recursive: true })

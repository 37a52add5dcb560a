/** Reads the log: checkpoint, entries, records, proofs. Takes no lock and changes nothing. @module */
import { Problem } from '../../base/problem.ts'
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { ENTRY_PREFIX, readBundle, RECORD_PREFIX } from './entry.ts'
import { consistencyProof, formatProof, inclusionProof, rootHash } from './proof.ts'
import type { Store } from './store.ts'
import { fetchTile, nodeReader, TILE_WIDTH, tilePath, tileWidth } from './tile.ts'

/** Where the published checkpoint stands. */
export const CHECKPOINT_KEY = 'checkpoint'
/** Where the newest checkpoint stands that met the witness policy, cosignatures included. */
export const COSIGNED_KEY = 'cosigned'

/** One record as the log holds it. */
export interface LoggedRecord {
  readonly position: number
  /** The leaf's data. */
  readonly leaf: string
  readonly jws: string
}

/** Everything that is read below is read for this tree size, so that one view is never mixed with another. */
export interface LogReader {
  readonly checkpoint: Checkpoint
  /** The signed checkpoint, verbatim. */
  readonly text: string
  /** The records of one bundle of 256, from `bundle × 256`. */
  bundle(bundle: number): Promise<LoggedRecord[]>
  record(position: number): Promise<LoggedRecord>
  /** A `.tlog-proof` for the leaf at this position. */
  proof(position: number): Promise<string>
  /** Hashes that prove this tree to extend the tree of `size`, 0 < size ≤ this size. */
  consistency(size: number): Promise<Buffer[]>
  /** The root over the first `size` leaves. */
  root(size: number): Promise<Buffer>
}

/** Opens the published state. @throws {Problem} `log-unavailable` when there is no log yet. */
export async function openReader(store: Store): Promise<LogReader> {
  const text = (await store.get(CHECKPOINT_KEY))?.toString()
  if (text === undefined) throw new Problem('log-unavailable', 'there is no log here yet')
  return readerAt(store, text)
}

/** Opens the newest cosigned state; undefined when there is none yet. */
export async function openCosigned(store: Store): Promise<LogReader | undefined> {
  const text = (await store.get(COSIGNED_KEY))?.toString()
  return text === undefined ? undefined : readerAt(store, text)
}

/** Reads the tree of a given checkpoint, which must be one that the log made. */
export function readerAt(store: Store, text: string): LogReader {
  const checkpoint = parseCheckpoint(text)
  const { size } = checkpoint
  const node = nodeReader((key) => store.get(key), size)
  const bundle = (index: number): Promise<LoggedRecord[]> => readRecords(store, size, index)
  const inside = (position: number): void => {
    if (Number.isSafeInteger(position) && position >= 0 && position < size) return
    throw new Problem('request-malformed', `the log has ${size} records`)
  }
  return {
    checkpoint,
    text,
    bundle,
    record: async (position) => {
      inside(position)
      const records = await bundle(Math.floor(position / TILE_WIDTH))
      return records[position % TILE_WIDTH] as LoggedRecord
    },
    proof: async (index) => {
      inside(index)
      return formatProof({
        index,
        hashes: await inclusionProof(node, index, size),
        checkpoint: text,
      })
    },
    consistency: (from) => consistencyProof(node, from, size),
    root: (of) => rootHash(node, of),
  }
}

/** A longer partial bundle replaces the one of an older checkpoint, and begins with the same records. */
async function fetchRecords(store: Store, index: number, width: number): Promise<Buffer> {
  const full = tilePath('record', index)
  for (const key of [tilePath('record', index, width), full]) {
    const bytes = await store.get(key)
    if (bytes !== undefined) return bytes
  }
  const widths = (await store.list(`${full}.p/`)).map((key) => Number(key.slice(full.length + 3)))
  const longer = widths.filter((each) => each > width)
  // One fetch more: the bundle may have become full since.
  return fetchTile((key) => store.get(key), 'record', index, longer[0] ?? width)
}

async function readRecords(store: Store, size: number, index: number): Promise<LoggedRecord[]> {
  const width = tileWidth(size, 0, index)
  const get = (key: string): Promise<Buffer | undefined> => store.get(key)
  const [entries, records] = await Promise.all([
    fetchTile(get, 'entries', index, width),
    fetchRecords(store, index, width),
  ])
  const leaves = readBundle(entries, width, ENTRY_PREFIX, tilePath('entries', index, width))
  const texts = readBundle(records, width, RECORD_PREFIX, tilePath('record', index, width))
  return leaves.map((leaf, at) => ({
    position: index * TILE_WIDTH + at,
    leaf,
    jws: texts[at] as string,
  }))
}

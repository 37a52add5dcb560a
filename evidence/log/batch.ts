/** What one batch of records adds to the log: tiles, bundles, the new edge. Pure. @module */
import {
  bundleItem,
  ENTRY_PREFIX,
  formatLeaf,
  type Leaf,
  type PrefixBytes,
  RECORD_PREFIX,
} from './entry.ts'
import { extend, type Frontier } from './frontier.ts'
import { leafHash } from './merkle.ts'
import type { StagedFile } from './staging.ts'
import { TILE_WIDTH, type TileKind, tilePath } from './tile.ts'

/** Everything that the next batch needs of the log so far. Never modified once made. */
export interface Edge {
  readonly frontier: Frontier
  /** Items of the partial entry bundle and the partial record bundle, length prefix included. */
  readonly entries: readonly Buffer[]
  readonly records: readonly Buffer[]
}

/** A record on its way into the log. */
export interface NewRecord extends Leaf {
  readonly jws: string
}

export interface Batch {
  readonly edge: Edge
  readonly files: readonly StagedFile[]
}

/** Makes the files that a batch of new records adds, and the edge after it. */
export function makeBatch(before: Edge, records: readonly NewRecord[]): Batch {
  const leaves = records.map((record) => formatLeaf(record))
  const { frontier, full } = extend(
    before.frontier,
    leaves.map((leaf) => leafHash(Buffer.from(leaf))),
  )
  const first = Math.floor(before.frontier.size / TILE_WIDTH)
  const entries = fillBundles('entries', first, before.entries, leaves, ENTRY_PREFIX)
  const bundles = fillBundles(
    'record',
    first,
    before.records,
    records.map(({ jws }) => jws),
    RECORD_PREFIX,
  )
  const files = [
    ...full.map(({ level, index, bytes }) => ({ key: tilePath(level, index), bytes })),
    ...partialTiles(before.frontier, frontier),
    ...entries.files,
    ...bundles.files,
  ]
  return { edge: { frontier, entries: entries.rest, records: bundles.rest }, files }
}

/**
 * Keys that nobody needs once `after` is published: partial tiles that are full now (each list
 * prefix ends in `.p/`), and the partial record bundle that a longer one replaced.
 */
export function obsolete(
  before: Frontier,
  after: Frontier,
): { prefixes: string[]; keys: string[] } {
  const prefixes: string[] = []
  for (let level = 0; level < before.levels.length; level += 1) {
    const index = Math.floor(before.size / TILE_WIDTH ** (level + 1))
    const filled = Math.floor(after.size / TILE_WIDTH ** (level + 1)) > index
    if (!filled || partialWidth(before, level) === 0) continue
    prefixes.push(`${tilePath(level, index)}.p/`)
    if (level === 0) prefixes.push(`${tilePath('entries', index)}.p/`)
  }
  const width = before.size % TILE_WIDTH
  const index = Math.floor(before.size / TILE_WIDTH)
  return { prefixes, keys: width === 0 ? [] : [tilePath('record', index, width)] }
}

function partialTiles(before: Frontier, after: Frontier): StagedFile[] {
  return after.levels.flatMap((hashes, level) => {
    const index = Math.floor(after.size / TILE_WIDTH ** (level + 1))
    const unchanged =
      partialWidth(before, level) === hashes.length &&
      Math.floor(before.size / TILE_WIDTH ** (level + 1)) === index
    if (hashes.length === 0 || unchanged) return []
    return [{ key: tilePath(level, index, hashes.length), bytes: Buffer.concat(hashes) }]
  })
}

function partialWidth(frontier: Frontier, level: number): number {
  return frontier.levels[level]?.length ?? 0
}

function fillBundles(
  kind: TileKind,
  first: number,
  before: readonly Buffer[],
  texts: readonly string[],
  prefix: PrefixBytes,
): { rest: Buffer[]; files: StagedFile[] } {
  const items = [...before, ...texts.map((text) => bundleItem(text, prefix))]
  const files: StagedFile[] = []
  for (let at = 0; at < items.length; at += TILE_WIDTH) {
    const part = items.slice(at, at + TILE_WIDTH)
    const key = tilePath(kind, first + at / TILE_WIDTH, part.length)
    files.push({ key, bytes: Buffer.concat(part) })
  }
  return { rest: items.slice(items.length - (items.length % TILE_WIDTH)), files }
}

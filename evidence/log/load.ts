/** Loads the right edge of the log from its files, and proves that it is the checkpoint's. @module */
import { Problem } from '../../base/problem.ts'
import type { EvidenceIndex } from '../index/index.ts'
import { indexRow } from '../index/fields.ts'
import type { Edge } from './batch.ts'
import type { TreeHead } from './checkpoint.ts'
import { bundleItem, ENTRY_PREFIX, parseLeaf, RECORD_PREFIX } from './entry.ts'
import { frontierRoot } from './frontier.ts'
import type { LogReader } from './reader.ts'
import type { Store } from './store.ts'
import { isTurn } from './turn.ts'
import { fetchTile, TILE_WIDTH, tileHashes, tilePath } from './tile.ts'

/** @throws {Problem} `log-inconsistent` when the tiles do not hash to the checkpoint's root. */
export async function loadEdge(store: Store, head: TreeHead, reader: LogReader): Promise<Edge> {
  const levels: Buffer[][] = []
  for (let level = 0; Math.floor(head.size / TILE_WIDTH ** level) > 0; level += 1) {
    const hashes = Math.floor(head.size / TILE_WIDTH ** level)
    const [index, width] = [Math.floor(hashes / TILE_WIDTH), hashes % TILE_WIDTH]
    if (width === 0) levels.push([])
    else {
      const bytes = await fetchTile((key) => store.get(key), level, index, width)
      levels.push(tileHashes(bytes, width, tilePath(level, index, width)))
    }
  }
  const frontier = { size: head.size, levels }
  if (!frontierRoot(frontier).equals(head.root)) {
    throw new Problem('log-inconsistent', `the tiles do not hash to the root of size ${head.size}`)
  }
  const last =
    head.size % TILE_WIDTH === 0 ? [] : await reader.bundle(Math.floor(head.size / TILE_WIDTH))
  return {
    frontier,
    entries: last.map(({ leaf }) => bundleItem(leaf, ENTRY_PREFIX)),
    records: last.map(({ jws }) => bundleItem(jws, RECORD_PREFIX)),
  }
}

/**
 * Brings the index up to the log. An index of another history (its root is not this log's root at
 * its size) is emptied first.
 */
export async function catchUp(index: EvidenceIndex, reader: LogReader): Promise<void> {
  const { size, root } = await index.head()
  const known = size <= reader.checkpoint.size
  try {
    if (known && (await reader.root(size)).toString('base64') === root) {
      return await fill(index, reader, size)
    }
  } catch (error) {
    // Rows that the log does not have may stand in the way of its own: the log decides.
    if (!(error instanceof Problem) || error.slug !== 'log-unavailable') throw error
  }
  await index.clear()
  await fill(index, reader, 0)
}

async function fill(index: EvidenceIndex, reader: LogReader, start: number): Promise<void> {
  const { size, root } = reader.checkpoint
  let from = start
  while (from < size) {
    const bundle = await reader.bundle(Math.floor(from / TILE_WIDTH))
    const records = bundle.filter(({ position }) => position >= from)
    const rows = records
      .filter(({ leaf }) => !isTurn(parseLeaf(leaf)?.kind))
      .map(({ jws, position }) => indexRow(jws, position))
    from += records.length
    const reached = from === size ? root : await reader.root(from)
    await index.add(rows, { size: from, root: reached.toString('base64') })
  }
}

/** Tiles of a tiled log (c2sp.org/tlog-tiles): their names, and hashes read out of them. @module */
import { Problem } from '../../base/problem.ts'
import { remember } from '../memo.ts'
import { fold, HASH_BYTES } from './merkle.ts'
import { TILES_KEPT_MAX, NODES_KEPT_MAX } from './limits.ts'

/** Hashes per full tile, entries per full bundle. */
export const TILE_WIDTH = 256

/** Entry bundles and record bundles are numbered like tiles of level 0. */
export type TileKind = number | 'entries' | 'record'

/**
 * Names a tile or bundle: `tile/<L>/<N>[.p/<W>]`, or `record/<N>[.p/<W>]` for the records that
 * stand beside the log.
 */
export function tilePath(kind: TileKind, index: number, width: number = TILE_WIDTH): string {
  const folder = kind === 'record' ? 'record' : `tile/${kind}`
  const partial = width === TILE_WIDTH ? '' : `.p/${width}`
  return `${folder}/${tileNumber(index)}${partial}`
}

/** 1234067 is `x001/x234/067`: no folder holds more than a thousand names. */
function tileNumber(index: number): string {
  const groups: string[] = []
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(String(rest % 1000).padStart(3, '0'))
  }
  return groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/')
}

/** Width of the tile at `level` and `index` in a tree of `size`: 0 when it does not exist. */
export function tileWidth(size: number, level: number, index: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level)
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH))
}

/** Every tile that a tree of `size` has at `level`, the last one perhaps partial. */
export function tileCount(size: number, level: number): number {
  return Math.ceil(Math.floor(size / TILE_WIDTH ** level) / TILE_WIDTH)
}

/** Reads one stored object; undefined when there is none. */
export type Fetch = (key: string) => Promise<Buffer | undefined>

/**
 * Fetches a tile or bundle of a tree of `size`. A partial one may have been deleted once it was
 * full, so the full one is asked for next.
 *
 * @returns the object's bytes and its width, which may exceed what `size` needs.
 * @throws {Problem} `log-inconsistent` when neither is there.
 */
export async function fetchTile(
  fetch: Fetch,
  kind: TileKind,
  index: number,
  width: number,
): Promise<Buffer> {
  const exact = await fetch(tilePath(kind, index, width))
  if (exact !== undefined) return exact
  const full = width === TILE_WIDTH ? undefined : await fetch(tilePath(kind, index))
  if (full !== undefined) return full
  throw new Problem('log-inconsistent', `\`${tilePath(kind, index, width)}\` is missing`)
}

/** Splits a tile into its first `width` hashes. @throws {Problem} `log-inconsistent` on a wrong length. */
export function tileHashes(bytes: Buffer, width: number, name: string): Buffer[] {
  if (bytes.length % HASH_BYTES !== 0 || bytes.length < width * HASH_BYTES) {
    throw new Problem(
      'log-inconsistent',
      `\`${name}\` holds ${bytes.length} bytes, not ${width} hashes`,
    )
  }
  return Array.from({ length: width }, (_, at) =>
    bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  )
}

/** Returns the hash of the complete subtree of 2^`height` leaves that is `index`-th among its like. */
export type NodeReader = (height: number, index: number) => Promise<Buffer>

/** Reads nodes of a tree of `size` from its tiles. */
export function nodeReader(fetch: Fetch, size: number): NodeReader {
  const tiles = new Map<string, Buffer[]>()
  const nodes = new Map<string, Buffer>()
  const readTile = async (level: number, index: number): Promise<Buffer[]> => {
    const key = `${level}/${index}`
    const known = tiles.get(key)
    if (known !== undefined) return known
    const width = tileWidth(size, level, index)
    const bytes = await fetchTile(fetch, level, index, width)
    const hashes = tileHashes(bytes, width, tilePath(level, index, width))
    return remember(tiles, TILES_KEPT_MAX, key, hashes)
  }
  return async (height, index) => {
    const key = `${height}/${index}`
    const known = nodes.get(key)
    if (known !== undefined) return known
    const count = 2 ** (height % 8)
    const first = index * count
    const hashes = await readTile(Math.floor(height / 8), Math.floor(first / TILE_WIDTH))
    return remember(nodes, NODES_KEPT_MAX, key, fold(hashes, first % TILE_WIDTH, count))
  }
}

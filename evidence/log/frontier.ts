/** The right edge of the tree: what must be remembered to append without reading the log. Pure. @module */
import { EMPTY_ROOT, fold, nodeHash } from './merkle.ts'
import { TILE_WIDTH } from './tile.ts'

/** Hashes of the partial tile at each level, fewer than 256 each. Never modified once made. */
export interface Frontier {
  readonly size: number
  readonly levels: readonly (readonly Buffer[])[]
}

/** A tile that became full. */
export interface FullTile {
  readonly level: number
  readonly index: number
  readonly bytes: Buffer
}

/** The edge of a tree without leaves. */
export const EMPTY_FRONTIER: Frontier = { size: 0, levels: [] }

/** Appends leaf hashes; returns the new edge and the tiles that became full on the way. */
export function extend(
  { size, levels }: Frontier,
  leaves: readonly Buffer[],
): { readonly frontier: Frontier; readonly full: readonly FullTile[] } {
  const edge = levels.map((hashes) => [...hashes])
  const full: FullTile[] = []
  let grown = size
  const push = (level: number, hash: Buffer): void => {
    const hashes = edge[level] ?? []
    edge[level] = hashes
    hashes.push(hash)
    if (hashes.length < TILE_WIDTH) return
    const index = Math.floor(grown / TILE_WIDTH ** (level + 1)) - 1
    full.push({ level, index, bytes: Buffer.concat(hashes) })
    edge[level] = []
    push(level + 1, fold(hashes))
  }
  for (const leaf of leaves) {
    grown += 1
    push(0, leaf)
  }
  return { frontier: { size: grown, levels: edge }, full }
}

/** The tree's root, from its right edge alone. */
export function frontierRoot({ levels }: Frontier): Buffer {
  let root: Buffer | undefined
  for (const hashes of levels) {
    // Complete subtrees of this level, smallest and rightmost first.
    for (let end = hashes.length; end > 0;) {
      const count = end & -end
      const subtree = fold(hashes, end - count, count)
      root = root === undefined ? subtree : nodeHash(subtree, root)
      end -= count
    }
  }
  return root ?? EMPTY_ROOT
}

import { expect } from 'chai'
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EMPTY_FRONTIER, extend, frontierRoot } from '../../evidence/log/frontier.ts'
import {
  EMPTY_ROOT,
  leafHash,
  nodeHash,
  splitPoint,
  verifyConsistency,
  verifyInclusion,
} from '../../evidence/log/merkle.ts'
import { consistencyProof, inclusionProof, rootHash } from '../../evidence/log/proof.ts'
import { nodeReader, tilePath } from '../../evidence/log/tile.ts'

const VECTORS = join(import.meta.dirname, '../vectors/merkle')

interface Vector {
  readonly leafIdx: number
  readonly treeSize: number
  readonly leafHash: string
  readonly root: string
  readonly size1: number
  readonly size2: number
  readonly root1: string
  readonly root2: string
  readonly proof: readonly string[] | null
  readonly desc: string
  readonly wantErr: boolean
}

function vectors(folder: string): { name: string; vector: Vector }[] {
  return readdirSync(join(VECTORS, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({
      name,
      vector: JSON.parse(readFileSync(join(VECTORS, folder, name), 'utf8')) as Vector,
    }))
}

const hash = (text: string | null): Buffer => Buffer.from(text ?? '', 'base64')

/** The definition of RFC 6962 §2.1, word for word. */
function mth(leaves: readonly Buffer[]): Buffer {
  if (leaves.length <= 1) return leaves[0] ?? EMPTY_ROOT
  const split = splitPoint(leaves.length)
  return nodeHash(mth(leaves.slice(0, split)), mth(leaves.slice(split)))
}

const leavesOf = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, at) => leafHash(Buffer.from(`leaf ${at}`)))

/** The tiles of a tree, in memory. */
function tilesOf(leaves: readonly Buffer[]): Map<string, Buffer> {
  const { frontier, full } = extend(EMPTY_FRONTIER, leaves)
  const tiles = new Map(full.map(({ level, index, bytes }) => [tilePath(level, index), bytes]))
  frontier.levels.forEach((hashes, level) => {
    const index = Math.floor(leaves.length / 256 ** (level + 1))
    if (hashes.length > 0) tiles.set(tilePath(level, index, hashes.length), Buffer.concat(hashes))
  })
  return tiles
}

describe('merkle', () => {
  it('agrees with the published inclusion vectors', () => {
    const all = vectors('inclusion')
    for (const { name, vector: v } of all) {
      const proof = (v.proof ?? []).map(hash)
      const ok = verifyInclusion(v.leafIdx, v.treeSize, hash(v.leafHash), hash(v.root), proof)
      expect(ok, `${name}: ${v.desc}`).to.equal(!v.wantErr)
    }
    expect(all).to.have.length(98)
  })

  it('agrees with the published consistency vectors', () => {
    const all = vectors('consistency')
    for (const { name, vector: v } of all) {
      const proof = (v.proof ?? []).map(hash)
      const ok = verifyConsistency(v.size1, v.size2, hash(v.root1), hash(v.root2), proof)
      expect(ok, `${name}: ${v.desc}`).to.equal(!v.wantErr)
    }
    expect(all).to.have.length(98)
  })

  it('has the root of the definition, whatever the batches', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 }), (batches) => {
        const leaves = leavesOf(batches.reduce((sum, count) => sum + count, 0))
        let [frontier, at] = [EMPTY_FRONTIER, 0]
        for (const count of batches) {
          frontier = extend(frontier, leaves.slice(at, at + count)).frontier
          at += count
        }
        expect(frontierRoot(frontier)).to.deep.equal(mth(leaves))
      }),
      { numRuns: 30 },
    )
  })

  it('proves inclusion and consistency from tiles, and nothing else verifies', async () => {
    for (const size of [1, 2, 255, 256, 257, 700]) {
      const leaves = leavesOf(size)
      const tiles = tilesOf(leaves)
      const node = nodeReader(async (key) => tiles.get(key), size)
      const root = await rootHash(node, size)
      for (const index of new Set([0, 1, 254, 255, 256, size - 1].filter((at) => at < size))) {
        const proof = await inclusionProof(node, index, size)
        const leaf = leaves[index] as Buffer
        expect(verifyInclusion(index, size, leaf, root, proof), `${index} of ${size}`).to.equal(
          true,
        )
        expect(verifyInclusion(index + 1, size, leaf, root, proof)).to.equal(false)
        expect(verifyInclusion(index, size, EMPTY_ROOT, root, proof)).to.equal(false)
        const old = await rootHash(node, index + 1)
        const extended = await consistencyProof(node, index + 1, size)
        expect(verifyConsistency(index + 1, size, old, root, extended)).to.equal(true)
        expect(verifyConsistency(index + 1, size, EMPTY_ROOT, root, extended)).to.equal(false)
      }
    }
  })
})

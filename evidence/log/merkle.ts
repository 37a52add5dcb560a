/** RFC 6962 §2.1 Merkle tree hashing and proof checking over SHA-256. Pure. @module */
import { sha256 } from '../crypto.ts'

/** Bytes of one hash. */
export const HASH_BYTES = 32

const LEAF_PREFIX = Buffer.from([0x00])
const NODE_PREFIX = Buffer.from([0x01])

/** SHA-256 of the empty string: the root of a tree without leaves. */
export const EMPTY_ROOT: Buffer = sha256(Buffer.alloc(0))

/** Hashes one leaf's data (RFC 6962 §2.1: prefix 0x00). */
export function leafHash(data: Uint8Array): Buffer {
  return sha256(Buffer.concat([LEAF_PREFIX, data]))
}

/** Hashes two children (RFC 6962 §2.1: prefix 0x01). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Buffer.concat([NODE_PREFIX, left, right]))
}

/** Folds a power of two of sibling hashes, `count` of them from `start`, into their common ancestor. */
export function fold(hashes: readonly Buffer[], start = 0, count: number = hashes.length): Buffer {
  let level = hashes.slice(start, start + count)
  while (level.length > 1) {
    const above: Buffer[] = []
    for (let at = 0; at + 1 < level.length; at += 2) {
      above.push(nodeHash(level[at] as Buffer, level[at + 1] as Buffer))
    }
    level = above
  }
  return level[0] ?? EMPTY_ROOT
}

/** The largest power of two below `count`, for `count` > 1: where RFC 6962 splits a tree. */
export function splitPoint(count: number): number {
  let split = 1
  while (split * 2 < count) split *= 2
  return split
}

/**
 * Checks an inclusion proof (RFC 9162 §2.1.3.2).
 *
 * @param proof hashes from the leaf's sibling up to the root's child.
 */
export function verifyInclusion(
  index: number,
  size: number,
  leaf: Buffer,
  root: Buffer,
  proof: readonly Buffer[],
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || !isHash(leaf)) return false
  let [node, last, hash] = [index, size - 1, leaf]
  for (const sibling of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash)
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && hash.equals(root)
}

/**
 * Checks that the tree of `size2` extends the tree of `size1` (RFC 9162 §2.1.4.2). Between two
 * equal sizes the proof is empty; size 0 proves nothing, so it is refused.
 */
export function verifyConsistency(
  size1: number,
  size2: number,
  root1: Buffer,
  root2: Buffer,
  proof: readonly Buffer[],
): boolean {
  if (!isSize(size1) || !isSize(size2) || size1 === 0 || size1 > size2) return false
  if (size1 === size2) return proof.length === 0 && root1.equals(root2)
  if (proof.length === 0) return false
  let [node, last] = [size1 - 1, size2 - 1]
  while (node % 2 === 1) [node, last] = [(node - 1) / 2, Math.floor(last / 2)]
  // A power of two is itself the first node of the path, and the verifier already has it.
  const path = node === 0 ? [root1, ...proof] : proof
  let old = path[0] as Buffer
  let young = old
  for (const sibling of path.slice(1)) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      old = nodeHash(sibling, old)
      young = nodeHash(sibling, young)
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)]
    } else {
      young = nodeHash(young, sibling)
    }
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && old.equals(root1) && young.equals(root2)
}

function isHash(bytes: Buffer): boolean {
  return bytes.length === HASH_BYTES
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

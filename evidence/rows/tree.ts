/** A Merkle tree (RFC 6962 §2.1) over the rows of one body, in O(log n) memory. @module */
import { createCipheriv, createHmac, hash } from 'node:crypto'
import { EMPTY_ROOT, HASH_BYTES } from '../log/merkle.ts'
import { SALT_BYTES, type TreeName } from './opened.ts'

/** A hash as a text of 32 latin1 characters: with millions of rows a Buffer for each costs too much. */
export type Hash = string

/** Grows by leaves; its root can be asked for at any size. */
export interface RowTree {
  readonly count: () => number
  add(leaf: Hash): void
  root(): Buffer
}

/** Salts that are made at once. */
const SALTS_AT_ONCE = 1024

/** Starts a tree. */
export function createRowTree(): RowTree {
  // At each level the root of a full subtree that waits for its right sibling.
  const edge: (Hash | undefined)[] = []
  let count = 0
  return {
    count: () => count,
    add: (leaf) => {
      count++
      let node = leaf
      let level = 0
      for (let left = edge[level]; left !== undefined; left = edge[level]) {
        node = parentHash(left, node)
        edge[level++] = undefined
      }
      edge[level] = node
    },
    root: () => {
      let root: Hash | undefined
      for (const left of edge) {
        if (left !== undefined) root = root === undefined ? left : parentHash(left, root)
      }
      return root === undefined ? EMPTY_ROOT : toBytes(root)
    },
  }
}

const parent = Buffer.alloc(1 + 2 * HASH_BYTES, 1)

/** Hashes two children (RFC 6962 §2.1: prefix 0x01). */
function parentHash(left: Hash, right: Hash): Hash {
  parent.write(left, 1, 'latin1')
  parent.write(right, 1 + HASH_BYTES, 'latin1')
  return hash('sha256', parent, 'latin1')
}

/** The bytes of a hash. */
export function toBytes(text: Hash): Buffer {
  return Buffer.from(text, 'latin1')
}

/**
 * Gives the salts of one tree. That of row n is AES-256(HMAC-SHA-256(record secret, `rows:` + tree),
 * n as 16 bytes, big endian): one can be shown without telling anything about another.
 *
 * @param secret the record's, 32 bytes.
 * @returns a function that writes the salt of a row, from 0, into `target` at `at`.
 */
export function rowSalts(
  secret: Buffer,
  tree: TreeName,
): (row: number, target: Uint8Array, at: number) => void {
  const key = createHmac('sha256', secret).update(`rows:${tree}`).digest()
  const counters = Buffer.alloc(SALTS_AT_ONCE * SALT_BYTES)
  let salts = Buffer.alloc(0)
  let first = 0
  return (row, target, at) => {
    if (salts.length === 0 || row < first || row >= first + SALTS_AT_ONCE) {
      first = row
      for (let place = 0; place < SALTS_AT_ONCE; place++) {
        counters.writeUInt32BE(Math.floor((row + place) / 2 ** 32), place * SALT_BYTES + 8)
        counters.writeUInt32BE((row + place) % 2 ** 32, place * SALT_BYTES + 12)
      }
      const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
      salts = cipher.update(counters)
    }
    const from = (row - first) * SALT_BYTES
    for (let byte = 0; byte < SALT_BYTES; byte++) target[at + byte] = salts[from + byte] as number
  }
}

/** Rows up to this are hashed without an allocation. */
const SCRATCH_BYTES = 1024
const scratch = Buffer.alloc(1 + SALT_BYTES + SCRATCH_BYTES)
/** The first bytes of it, by their number: with millions of rows a view for each costs too much. */
const views: (Buffer | undefined)[] = []

/** Hashes one row, from `start` to `end` of `bytes`: a leaf (prefix 0x00) of its salt and its bytes. */
export function rowLeaf(
  row: number,
  saltOf: ReturnType<typeof rowSalts>,
  bytes: Buffer,
  start: number,
  end: number,
): Hash {
  const data = placeFor(1 + SALT_BYTES + end - start)
  saltOf(row, data, 1)
  bytes.copy(data, 1 + SALT_BYTES, start, end)
  return hash('sha256', data, 'latin1')
}

function placeFor(size: number): Buffer {
  if (size > scratch.length) return Buffer.alloc(size)
  const view = views[size] ?? scratch.subarray(0, size)
  views[size] = view
  return view
}

/** A tree's root as records hold it. */
export function formatRoot(root: Buffer): string {
  return root.toString('base64url')
}

/** Inclusion and consistency proofs made from tiles (RFC 6962 §2.1.1, §2.1.2), and c2sp.org/tlog-proof. @module */
import { Problem } from '../../base/problem.ts'
import { EMPTY_ROOT, HASH_BYTES, nodeHash, splitPoint } from './merkle.ts'
import type { NodeReader } from './tile.ts'
import { PROOF_HASHES_MAX } from './limits.ts'

const HEADER = 'c2sp.org/tlog-proof@v1'

/** Makes the proof that leaf `index` is in the tree of `size`, from the leaf's sibling upwards. */
export async function inclusionProof(
  node: NodeReader,
  index: number,
  size: number,
): Promise<Buffer[]> {
  const path = async (low: number, high: number): Promise<Buffer[]> => {
    if (high - low === 1) return []
    const middle = low + splitPoint(high - low)
    return index < middle
      ? [...(await path(low, middle)), await rangeHash(node, middle, high)]
      : [...(await path(middle, high)), await rangeHash(node, low, middle)]
  }
  return path(0, size)
}

/** Makes the proof that the tree of `size2` extends the tree of `size1`, for 0 < size1 ≤ size2. */
export async function consistencyProof(
  node: NodeReader,
  size1: number,
  size2: number,
): Promise<Buffer[]> {
  // `known`: the old tree's own root is this subtree, and the verifier has it.
  const path = async (low: number, high: number, known: boolean): Promise<Buffer[]> => {
    if (size1 === high) return known ? [] : [await rangeHash(node, low, high)]
    const middle = low + splitPoint(high - low)
    return size1 <= middle
      ? [...(await path(low, middle, known)), await rangeHash(node, middle, high)]
      : [...(await path(middle, high, false)), await rangeHash(node, low, middle)]
  }
  return path(0, size2, true)
}

/** The root of the first `size` leaves. */
export async function rootHash(node: NodeReader, size: number): Promise<Buffer> {
  return size === 0 ? EMPTY_ROOT : rangeHash(node, 0, size)
}

/** Hash over leaves [low, high), where low is a multiple of the power of two at or above the length. */
async function rangeHash(node: NodeReader, low: number, high: number): Promise<Buffer> {
  const count = high - low
  const height = Math.round(Math.log2(count))
  if (2 ** height === count) return node(height, low / count)
  const middle = low + splitPoint(count)
  return nodeHash(await rangeHash(node, low, middle), await rangeHash(node, middle, high))
}

/** One record's place in the log, readable offline: c2sp.org/tlog-proof without the `extra` line. */
export interface TlogProof {
  readonly index: number
  readonly hashes: readonly Buffer[]
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string
}

/** Writes a `.tlog-proof` file. */
export function formatProof({ index, hashes, checkpoint }: TlogProof): string {
  const lines = [HEADER, `index ${index}`, ...hashes.map((hash) => hash.toString('base64'))]
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/** Reads a `.tlog-proof` file, canonical spelling only. @throws {Problem} `request-malformed`. */
export function parseProof(text: string): TlogProof {
  const end = text.indexOf('\n\n')
  const [header, indexLine, ...hashLines] = text.slice(0, end).split('\n')
  const index = Number(/^index (0|[1-9]\d{0,15})$/.exec(indexLine ?? '')?.[1] ?? Number.NaN)
  if (end < 0 || header !== HEADER || !Number.isSafeInteger(index)) {
    throw new Problem('request-malformed', `expected \`${HEADER}\` and an \`index\` line`)
  }
  if (hashLines.length > PROOF_HASHES_MAX) {
    throw new Problem('request-malformed', `a proof has at most ${PROOF_HASHES_MAX} hashes`)
  }
  const hashes = hashLines.map((line) => parseHash(line))
  return { index, hashes, checkpoint: text.slice(end + 2) }
}

/** Reads one standard-base64 SHA-256 hash, canonical spelling only. @throws {Problem} `request-malformed`. */
export function parseHash(line: string): Buffer {
  const hash = Buffer.from(line, 'base64')
  if (hash.length !== HASH_BYTES || hash.toString('base64') !== line) {
    throw new Problem(
      'request-malformed',
      'expected one canonical base64 hash of 32 bytes per line',
    )
  }
  return hash
}

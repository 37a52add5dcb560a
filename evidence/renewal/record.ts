/** Evidence records (RFC 4998): their DER, and the hash trees in them. Portable. @module */
import {
  concat,
  type Der,
  parseDer,
  takeAlgorithm,
  takeContent,
  takeInteger,
  takeParts,
  writeDer,
  writeOid,
} from '../der.ts'
import { digest, type TimestampTrust } from '../timestamp/verify.ts'
import { type DigestName, DIGESTS, parseToken } from '../timestamp/token.ts'
import { equalBytes } from '../x509-profile.ts'

/** Whom a verifier of an evidence record believes about time. */
export type RenewalTrust = Pick<TimestampTrust, 'roots' | 'untrusted'>

/** One token, with the way from one data object's digest to what it stamps. */
export interface ArchiveTimestamp {
  readonly digest: DigestName
  /** Partial hash trees, lowest first (§4.1); empty when the token stamps the digest itself. */
  readonly tree: readonly (readonly Uint8Array[])[]
  /** ContentInfo, as the authority sent it. */
  readonly token: Uint8Array
}

/** Renewed tokens under one digest algorithm, oldest first. */
export type ArchiveChain = readonly ArchiveTimestamp[]

/** All chains of one data object, oldest first. */
export interface EvidenceRecord {
  readonly chains: readonly ArchiveChain[]
}

const RECORD_BYTES_MAX = 1_048_576
const VALUES_MAX = 4096

/** Starts a record from a token that stamps the data object itself. @throws {Error} */
export function startRecord(token: Uint8Array): EvidenceRecord {
  return { chains: [[{ digest: digestOf(token), tree: [], token }]] }
}

/** EvidenceRecord, DER. */
export function encodeRecord({ chains }: EvidenceRecord): Uint8Array {
  const digests = [...new Set(chains.flat().map(({ digest }) => digest))]
  return writeDer(
    0x30,
    writeDer(0x02, Uint8Array.of(1)),
    writeDer(0x30, ...digests.map((name) => algorithm(0x30, name))),
    encodeChains(chains),
  )
}

/** ArchiveTimeStampSequence, DER: what hash renewal covers (§5.2). */
export function encodeChains(chains: readonly ArchiveChain[]): Uint8Array {
  return writeDer(0x30, ...chains.map((chain) => writeDer(0x30, ...chain.map(encodeTimestamp))))
}

/** The module has IMPLICIT TAGS: a context tag replaces the SEQUENCE of its type (§A). */
function encodeTimestamp({ digest, tree, token }: ArchiveTimestamp): Uint8Array {
  const lists = tree.map((list) => writeDer(0x30, ...list.map((value) => writeDer(0x04, value))))
  return writeDer(
    0x30,
    algorithm(0xa0, digest),
    ...(lists.length === 0 ? [] : [writeDer(0xa2, ...lists)]),
    token,
  )
}

/** @throws {Error} when the bytes are not one evidence record. */
export function parseRecord(bytes: Uint8Array): EvidenceRecord {
  if (bytes.length > RECORD_BYTES_MAX) throw new Error(`over ${RECORD_BYTES_MAX} bytes`)
  // cryptoInfos and encryptionInfo would be two more: we write neither, and read neither as a fact.
  const [version, digests, sequence] = takeParts(parseDer(bytes), 0x30, 3)
  if (takeInteger(version) !== 1n) throw new Error('expected an EvidenceRecord of version 1')
  const chains = all(sequence, 0x30).map((chain) => all(chain, 0x30).map(parseTimestamp))
  const record = { chains }
  all(digests, 0x30).map(takeAlgorithm)
  // What is not read, such as the list of algorithms, must be as we would write it.
  if (!equalBytes(encodeRecord(record), bytes)) throw new Error('expected the canonical encoding')
  return record
}

function parseTimestamp(value: Der): ArchiveTimestamp {
  const parts = takeParts(value, 0x30, 1, 3)
  const token = parts.at(-1)
  if (token === undefined) throw new Error('expected a token')
  const tree = parts.find(({ tag }) => tag === 0xa2)
  return {
    digest: digestOf(token.raw),
    tree: (tree === undefined ? [] : all(tree, 0xa2)).map((list) =>
      all(list, 0x30).map((hash) => takeContent(hash, 0x04)),
    ),
    token: token.raw,
  }
}

/** §4.2: the token's own digest algorithm is that of the hash tree below it. */
function digestOf(token: Uint8Array): DigestName {
  const name = DIGESTS.get(parseToken(token).info.algorithm)
  if (name === undefined) throw new Error('expected a SHA-2 or SM3 token')
  return name
}

function all(value: Der | undefined, tag: number): readonly Der[] {
  return takeParts(value, tag, 1, VALUES_MAX)
}

function algorithm(tag: number, name: DigestName): Uint8Array {
  const [id = ''] = [...DIGESTS].find(([, each]) => each === name) ?? []
  return writeDer(tag, writeOid(id))
}

/** A tree over many digests: its root, and one way to it from each (§4.2). */
export async function hashTree(
  name: DigestName,
  digests: readonly Uint8Array[],
): Promise<{ root: Uint8Array; ways: readonly (readonly Uint8Array[])[][] }> {
  const ways: Uint8Array[][][] = digests.map(() => [])
  let level = digests.map((value, index) => ({ value, leaves: [index] }))
  while (level.length > 1) {
    const next: typeof level = []
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = level.slice(i, i + 2)
      if (left === undefined) continue
      if (right === undefined) {
        next.push(left) // An odd one out moves up unhashed: its way has one list fewer.
        continue
      }
      join(ways, digests, left.leaves, right.value)
      join(ways, digests, right.leaves, left.value)
      const value = await joinHashes(name, [left.value, right.value])
      next.push({ value, leaves: [...left.leaves, ...right.leaves] })
    }
    level = next
  }
  const [top] = level
  if (top === undefined) throw new Error('expected at least one digest')
  return { root: top.value, ways }
}

/** The first list holds the data object's own digest too (§4.2). */
function join(
  ways: Uint8Array[][][],
  digests: readonly Uint8Array[],
  leaves: readonly number[],
  sibling: Uint8Array,
): void {
  for (const leaf of leaves) {
    const way = ways[leaf]
    const own = digests[leaf]
    if (way === undefined || own === undefined) continue
    way.push(way.length === 0 ? [own, sibling] : [sibling])
  }
}

/** Walks from a digest to the root (§4.3). @returns undefined when the digest is not in the tree. */
export async function walkTree(
  { digest: name, tree }: ArchiveTimestamp,
  value: Uint8Array,
): Promise<Uint8Array | undefined> {
  const [first, ...rest] = tree
  if (first === undefined) return value
  if (!first.some((hash) => equalBytes(hash, value))) return undefined
  let hash = await joinHashes(name, first)
  for (const list of rest) hash = await joinHashes(name, [...list, hash])
  return hash
}

/** Digest of the digests in binary ascending order; a single one stands for itself. */
async function joinHashes(name: DigestName, hashes: readonly Uint8Array[]): Promise<Uint8Array> {
  const [only, ...others] = hashes
  if (only !== undefined && others.length === 0) return only
  return digest(name, concat(hashes.toSorted(compareBytes)))
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

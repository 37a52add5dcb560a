/** Re-derives the whole log from the bytes on disk and stops at the first contradiction. @module */
import { Problem } from '../../base/problem.ts'
import { sm3 } from '../crypto.ts'
import { indexRow } from '../index/fields.ts'
import { recordDigest } from '../seal.ts'
import { type Chains, chainAppend, chainGaps, newChains } from './chains.ts'
import { type Checkpoint, parseCheckpoint, verifyCheckpoint } from './checkpoint.ts'
import { parseLeaf } from './entry.ts'
import { EMPTY_FRONTIER, extend, type Frontier, frontierRoot } from './frontier.ts'
import { leafHash } from './merkle.ts'
import type { Verifier } from './note.ts'
import { type LoggedRecord, type LogReader, openReader } from './reader.ts'
import { refuseFork } from './recover.ts'
import type { Store } from './store.ts'
import { fetchTile, TILE_WIDTH, tileCount, tilePath } from './tile.ts'
import { isTurn, type TurnKind } from './turn.ts'

export interface FsckOptions {
  readonly store: Store
  /** Every one of these keys must have signed the checkpoint. */
  readonly verifiers: readonly Verifier[]
  /** Reads the lock store's checkpoint, when it is at hand; called after the log's own is read. */
  readonly locked?: () => Promise<string | undefined>
  /** Called after each bundle. */
  readonly progress?: (done: number, total: number) => void
  /** The line so far: instances go on from one log to the next. */
  readonly before?: LineSoFar
}

/** What the logs before say about the next one. */
export interface LineSoFar {
  readonly chains: Chains
  /** The newest checkpoint of the log before, and the keys that sign for it. */
  readonly last?: { readonly checkpoint: Checkpoint; readonly verifiers: readonly Verifier[] }
}

export interface FsckReport {
  readonly size: number
  /** base64. */
  readonly root: string
  readonly instances: number
}

/**
 * Checks signatures, every entry against its record, every tile, the root, each instance's
 * seq/prev chain, and that no record stands twice. Memory: about 150 bytes per record.
 *
 * @throws {Problem} `log-inconsistent` naming the first contradiction.
 */
export async function fsck(options: FsckOptions): Promise<FsckReport> {
  const { store, verifiers, locked, progress, before } = options
  const reader = await openReader(store)
  const { checkpoint } = reader
  refuseUnsigned(checkpoint, verifiers)
  const lockText = await locked?.()
  // A lock that is ahead is a batch in hand, or one that the next start finishes.
  if (lockText !== undefined) refuseFork(checkpoint, parseCheckpoint(lockText))
  const chains = before?.chains ?? newChains()
  let frontier = EMPTY_FRONTIER
  for (let bundle = 0; bundle < tileCount(checkpoint.size, 0); bundle += 1) {
    frontier = await checkBundle(store, reader, frontier, bundle, { chains, ...before })
    progress?.(frontier.size, checkpoint.size)
  }
  await checkPartialTiles(store, frontier)
  if (!frontierRoot(frontier).equals(checkpoint.root)) {
    throw contradiction(`the entries do not hash to the checkpoint's root`)
  }
  // In a line, a record may stand in the next log before its predecessor.
  const gap = before === undefined ? chainGaps(chains) : undefined
  if (gap !== undefined) throw contradiction(gap)
  const root = checkpoint.root.toString('base64')
  return { size: checkpoint.size, root, instances: chains.instances.size }
}

async function checkBundle(
  store: Store,
  reader: LogReader,
  frontier: Frontier,
  bundle: number,
  line: LineSoFar,
): Promise<Frontier> {
  const records = await reader.bundle(bundle)
  for (const record of records) checkRecord(record, line)
  const leaves = records.map(({ leaf }) => leafHash(Buffer.from(leaf)))
  const extended = extend(frontier, leaves)
  for (const { level, index, bytes } of extended.full) {
    await checkTile(store, level, index, TILE_WIDTH, bytes)
  }
  return extended.frontier
}

async function checkPartialTiles(store: Store, { size, levels }: Frontier): Promise<void> {
  for (const [level, hashes] of levels.entries()) {
    if (hashes.length === 0) continue
    const index = Math.floor(size / TILE_WIDTH ** (level + 1))
    await checkTile(store, level, index, hashes.length, Buffer.concat(hashes))
  }
}

async function checkTile(
  store: Store,
  level: number,
  index: number,
  width: number,
  want: Buffer,
): Promise<void> {
  const bytes = await fetchTile((key) => store.get(key), level, index, width)
  if (!bytes.equals(want)) {
    throw contradiction(`\`${tilePath(level, index, width)}\` does not hold the hashes below it`)
  }
}

function checkRecord({ position, leaf: text, jws }: LoggedRecord, line: LineSoFar): void {
  const leaf = parseLeaf(text)
  if (leaf === undefined) throw contradiction(`entry ${position} is not an \`evr/1\` line`)
  if (leaf.digest !== recordDigest(jws)) {
    throw contradiction(`record ${position} does not have the digest in its entry`)
  }
  if (leaf.sm3 !== undefined && leaf.sm3 !== sm3(Buffer.from(jws)).toString('base64url')) {
    throw contradiction(`record ${position} does not have the SM3 digest in its entry`)
  }
  const isFirst = position === 0 && line.last !== undefined
  if (isTurn(leaf.kind) !== isFirst) {
    throw contradiction(`entry ${position} is${isFirst ? ' not' : ''} the turn from another log`)
  }
  if (isTurn(leaf.kind)) {
    checkTurn(leaf.kind, jws, line)
    return
  }
  const row = readRow(jws, position)
  if (row.rid !== leaf.rid || row.kind !== leaf.kind) {
    throw contradiction(`entry ${position} names another record than the one beside it`)
  }
  const complaint = chainAppend(line.chains, row)
  if (complaint !== undefined) throw contradiction(complaint)
}

/** The first leaf must fix the newest checkpoint of the log before. */
function checkTurn(kind: TurnKind, text: string, { last }: LineSoFar): void {
  if (last === undefined) return
  const fixed = parseCheckpoint(text)
  const { origin, size, root } = last.checkpoint
  if (fixed.origin !== origin) throw contradiction(`the log follows \`${fixed.origin}\``)
  refuseUnsigned(fixed, last.verifiers)
  if (fixed.size === size && fixed.root.equals(root)) return
  const lost = fixed.size - size
  if (kind === 'restore' && lost > 0) throw contradiction(`\`${origin}\` has lost its last ${lost} records`) // prettier-ignore
  throw contradiction(`the log follows another history of \`${origin}\` than the one here`)
}

function refuseUnsigned(checkpoint: Checkpoint, verifiers: readonly Verifier[]): void {
  for (const verifier of verifiers) {
    if (verifyCheckpoint(checkpoint, verifier) !== undefined) continue
    throw contradiction(`the checkpoint has no good signature of \`${verifier.name}\``)
  }
}

function readRow(jws: string, position: number): ReturnType<typeof indexRow> {
  try {
    return indexRow(jws, position)
  } catch (cause) {
    throw new Problem('log-inconsistent', `record ${position} cannot be read`, { cause })
  }
}

function contradiction(detail: string): Problem {
  return new Problem('log-inconsistent', detail)
}

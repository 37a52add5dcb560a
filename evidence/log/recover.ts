/** Opening the log: brings what a crash left to one state, or refuses. @module */
import { Problem } from '../../base/problem.ts'
import {
  type Checkpoint,
  parseCheckpoint,
  signCheckpoint,
  type TreeHead,
  verifyCheckpoint,
} from './checkpoint.ts'
import { EMPTY_ROOT } from './merkle.ts'
import type { LockState, LockStore } from './lock.ts'
import type { NoteSigner } from './note.ts'
import { CHECKPOINT_KEY } from './reader.ts'
import { stagingKey, type StagedFile, unpackFiles } from './staging.ts'
import type { Store } from './store.ts'

export interface RecoverPorts {
  readonly store: Store
  readonly lock: LockStore
  readonly origin: string
  /** Keys of the log; the first is Ed25519. */
  readonly signers: readonly NoteSigner[]
}

/** The newest signed state, published and whole. */
export interface Recovered {
  readonly locked: LockState
  readonly checkpoint: Checkpoint
}

/**
 * Decides by lock and published checkpoint. The lock is ahead by at most one batch, whose files
 * stand in staging: they are written again (writing twice is harmless). A published checkpoint that
 * the lock does not know means a restored lock or a second history, and nothing may be signed then.
 *
 * @param nowUs wall clock; it may not stand before the last checkpoint.
 * @throws {Problem} `log-inconsistent`, or `log-unavailable` when the clock is behind.
 */
export async function recover(ports: RecoverPorts, nowUs: bigint): Promise<Recovered> {
  const { store, lock, origin } = ports
  const locked = (await lock.read(origin)) ?? (await create(ports, nowUs))
  const checkpoint = readOwn(locked.checkpoint, ports, 'the lock store')
  refuseEarlyClock(nowUs, locked)
  const text = (await store.get(CHECKPOINT_KEY))?.toString()
  const published =
    text === undefined ? undefined : readOwn(text, ports, 'the published checkpoint')
  if (published !== undefined) refuseFork(published, checkpoint)
  if (published === undefined || published.size < checkpoint.size) {
    await applyFiles(store, await stagedFiles(store, checkpoint), locked.checkpoint)
  }
  await dropOldStaging(store, checkpoint.size)
  return { locked, checkpoint }
}

/**
 * Deletes the staging bundles of earlier sizes. The newest stays until the next batch is published,
 * so that a late write of another sequencer can still be repaired. Larger ones may be its next batch.
 */
export async function dropOldStaging(store: Store, size: number): Promise<void> {
  for (const key of await store.list('staging/')) {
    if (Number(/^staging\/(\d+)-/.exec(key)?.[1]) < size) await store.delete(key)
  }
}

/** @throws {Problem} `log-unavailable`: a checkpoint may not seem older than the one before it. */
export function refuseEarlyClock(nowUs: bigint, { timeUs }: LockState): void {
  if (nowUs >= timeUs) return
  const behind = (timeUs - nowUs) / 1000n
  throw new Problem('log-unavailable', `the clock is ${behind} ms behind the last checkpoint`)
}

/** Writes a batch's files, then publishes its checkpoint: whoever reads the checkpoint finds the files. */
export async function applyFiles(
  store: Store,
  files: readonly StagedFile[],
  checkpoint: string,
): Promise<void> {
  await Promise.all(files.map(({ key, bytes }) => store.put(key, bytes)))
  await store.put(CHECKPOINT_KEY, Buffer.from(checkpoint))
}

async function create({ store, lock, origin, signers }: RecoverPorts, nowUs: bigint) {
  if ((await store.get(CHECKPOINT_KEY)) !== undefined) {
    throw new Problem('log-inconsistent', 'the log has a checkpoint, the lock store has none')
  }
  const empty = { origin, size: 0, root: EMPTY_ROOT }
  const first = { checkpoint: signCheckpoint(empty, signers, seconds(nowUs)), timeUs: nowUs }
  if (await lock.swap(origin, undefined, first)) return first
  throw new Problem('log-unavailable', 'another sequencer has just made this log')
}

async function stagedFiles(store: Store, head: TreeHead): Promise<StagedFile[]> {
  if (head.size === 0) return []
  const bundle = await store.get(stagingKey(head))
  if (bundle !== undefined) return unpackFiles(bundle)
  throw new Problem(
    'log-inconsistent',
    `the lock store has ${head.size} records, the log has fewer and no staging bundle for them`,
  )
}

/** @throws {Problem} `log-inconsistent` when the lock store does not know what is published. */
export function refuseFork(published: TreeHead, locked: TreeHead): void {
  if (published.size > locked.size) {
    throw new Problem(
      'log-inconsistent',
      `the published checkpoint has ${published.size} records, the lock store ${locked.size}`,
    )
  }
  if (published.size === locked.size && !published.root.equals(locked.root)) {
    throw new Problem(
      'log-inconsistent',
      `the published checkpoint and the lock store differ at ${locked.size} records`,
    )
  }
}

function readOwn(text: string, { origin, signers }: RecoverPorts, where: string): Checkpoint {
  let checkpoint: Checkpoint
  try {
    checkpoint = parseCheckpoint(text)
  } catch (cause) {
    throw new Problem('log-inconsistent', `${where} cannot be read`, { cause })
  }
  const [signer] = signers
  if (
    checkpoint.origin !== origin ||
    signer === undefined ||
    verifyCheckpoint(checkpoint, signer.verifier) === undefined
  ) {
    throw new Problem('log-inconsistent', `${where} is not signed by this log's key`)
  }
  return checkpoint
}

/** Whole seconds of a time in microseconds, for timestamped signatures. */
export function seconds(timeUs: bigint): number {
  return Number(timeUs / 1_000_000n)
}

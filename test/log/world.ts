/** A log in memory for fault tests: stores that fail on demand, a clock that can be set, the deep check. @module */
import { expect } from 'chai'
import { generateKeyPairSync } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import type { EvidenceIndex } from '../../evidence/index/index.ts'
import { openSqliteIndex } from '../../evidence/index/sqlite.ts'
import { fsck } from '../../evidence/log/fsck.ts'
import { ED25519, makeSigner } from '../../evidence/log/note.ts'
import { openSequencer, type Sequencer } from '../../evidence/log/sequencer.ts'
import { CALLS, failing, type Fault, type Faults, memoryLock, memoryStore } from './memory.ts'
import { START_MS } from './records.ts'

const ORIGIN = 'log.test/evr'
const SIGNER = makeSigner(ORIGIN, ED25519, generateKeyPairSync('ed25519').privateKey)
/** One hour. */
export const HOUR_US = 3_600_000_000n

/** A log in memory whose stores fail on demand, and whose clock can be set. */
export function world() {
  const faults: Faults = { next: undefined }
  const store = memoryStore(faults)
  const lock = memoryLock(faults)
  const time = { us: BigInt(START_MS) * 1000n }
  const clock: Clock = { wallUs: () => time.us++, monotonicNs: () => 0n }
  let index = faultyIndex(faults)
  const open = (): Promise<Sequencer> =>
    openSequencer({ store, lock, index, origin: ORIGIN, signers: [SIGNER], clock })
  /** What readers see must be whole at every moment, recovered or not. */
  const check = async (size: number): Promise<void> => {
    const published = await fsck({ store, verifiers: [SIGNER.verifier] })
    expect(published.size).to.equal(size)
  }
  const loseIndex = (): void => {
    index = faultyIndex(faults)
  }
  return { faults, store, lock, time, open, check, loseIndex }
}

function faultyIndex(faults: Faults): EvidenceIndex {
  const inner = openSqliteIndex(':memory:')
  return { ...inner, add: (rows, head) => failing(faults, 'index', () => inner.add(rows, head)) }
}

/** The slug of the Problem that the work ends with. */
export async function slugOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  return error instanceof Problem ? error.slug : `not a problem: ${String(error)}`
}

/** Every call of a batch, with its effect lost or applied. */
export const FAULTS: readonly Fault[] = CALLS.flatMap((call) =>
  (['lost', 'applied-then-lost'] as const).flatMap((effect): Fault[] => {
    const fault = { call, effect }
    // Of several files, any one may be the one that fails.
    return call === 'tile' ? [0, 1, 4].map((after) => ({ ...fault, after })) : [fault]
  }),
)

/** In-memory stores that assert the contract and can fail on demand. @module */
import { expect } from 'chai'
import { parseCheckpoint } from '../../evidence/log/checkpoint.ts'
import type { LockState, LockStore } from '../../evidence/log/lock.ts'
import type { Store } from '../../evidence/log/store.ts'

/** What the sequencer asks of its stores, in the order of a batch. */
export const CALLS = ['staging', 'swap', 'tile', 'checkpoint', 'index', 'delete'] as const

/** One failure of such a call, with its effect lost or applied. */
export interface Fault {
  readonly call: (typeof CALLS)[number]
  readonly effect: 'lost' | 'applied-then-lost'
  /** Calls of that name that still succeed before it. */
  readonly after?: number
}

/** What a test sets to make the next fitting call fail, once. */
export interface Faults {
  next: Fault | undefined
  /** While set, nothing can be written; deleting works. */
  full?: boolean
}

export function memoryStore(faults: Faults): Store & { readonly files: Map<string, Buffer> } {
  const files = new Map<string, Buffer>()
  return {
    files,
    put: async (key, bytes) => {
      expect(bytes.length, key).to.be.greaterThan(0)
      const before = files.get(key)
      // Every object but the checkpoint is immutable: writing it again must write the same bytes.
      if (before !== undefined && key !== 'checkpoint') expect(before).to.deep.equal(bytes)
      await failing(faults, callOf(key), () => void files.set(key, Buffer.from(bytes)))
    },
    get: async (key) => files.get(key),
    list: async (prefix) => [...files.keys()].filter((key) => key.startsWith(prefix)).sort(),
    delete: async (key) => failing(faults, 'delete', () => void files.delete(key)),
  }
}

/** `before` is the state that the last swap replaced: what a backup would hold. */
interface MemoryLock extends LockStore {
  state: LockState | undefined
  before: LockState | undefined
}

export function memoryLock(faults: Faults): MemoryLock {
  const lock: MemoryLock = {
    state: undefined,
    before: undefined,
    origins: async () =>
      lock.state === undefined ? [] : [parseCheckpoint(lock.state.checkpoint).origin],
    read: async () => lock.state,
    swap: async (_origin, expected, next) => {
      if (expected?.checkpoint !== lock.state?.checkpoint) return false
      await failing(faults, 'swap', () => {
        lock.before = lock.state
        lock.state = next
      })
      return true
    },
    close: () => undefined,
  }
  return lock
}

/** Runs a change that may be told to fail before or after it takes effect. */
export async function failing(
  faults: Faults,
  call: Fault['call'],
  change: () => void | Promise<void>,
): Promise<void> {
  if (faults.full === true && call !== 'delete')
    throw new Error(`ENOSPC: no space left for ${call}`)
  const fault = faults.next?.call === call ? faults.next : undefined
  const after = fault?.after ?? 0
  if (fault !== undefined && after > 0) {
    faults.next = { ...fault, after: after - 1 }
    return change()
  }
  if (fault !== undefined) faults.next = undefined
  if (fault?.effect === 'lost') throw new Error(`${call} failed`)
  await change()
  if (fault !== undefined) throw new Error(`${call} failed after it took effect`)
}

function callOf(key: string): Fault['call'] {
  if (key === 'checkpoint') return 'checkpoint'
  return key.startsWith('staging/') ? 'staging' : 'tile'
}

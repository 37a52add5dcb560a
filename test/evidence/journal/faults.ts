/** A file system in memory with a page cache, crashes, and calls that fail. @module */
import { expect } from 'chai'
import type { Files, OpenFile } from '../../../evidence/journal/files.ts'

/** A call that fails: without effect, after it took effect, or (a write on a full disk) halfway. */
export interface Fault {
  readonly call: 'create' | 'write' | 'fill' | 'sync' | 'syncFolder' | 'remove' | 'truncate'
  /** Counts from 1 over the calls of this name. */
  readonly at: number
  readonly how: 'lost' | 'applied-then-lost' | 'torn'
}

type Call = (name: Fault['call'], effect: () => void, half?: () => void) => Promise<void>

interface MemoryFile {
  bytes: Buffer
  synced: Buffer
  /** Where what was written ends; behind it there may be zeros. */
  end: number
}

/**
 * Asserts how the journal may use files: it never writes to a file whose sync failed, and never
 * writes over bytes that were written before, with zeros least of all.
 */
export class MemoryFiles {
  #files = new Map<string, MemoryFile>()
  #synced = new Map<string, MemoryFile>()
  #counts = new Map<string, number>()
  #poisoned = new Set<MemoryFile>()
  #locked = false
  fault: Fault | undefined
  /** Counts the crashes: what an earlier process still tries has no effect and never returns. */
  epoch = 0

  /** What a restart finds: after a killed process all that was written, after a power cut only what was synced. */
  crash(how: 'kill' | 'power'): void {
    this.epoch += 1
    this.#locked = false
    this.#counts.clear()
    this.fault = undefined
    if (how === 'kill') return
    this.#files = new Map(this.#synced)
    for (const file of this.#files.values()) file.bytes = file.synced
  }
  names(): string[] {
    return [...this.#files.keys()].sort()
  }
  bytesOf(name: string): Buffer {
    return this.#file(name).bytes
  }
  overwrite(name: string, bytes: Buffer): void {
    this.#files.set(name, { bytes, synced: bytes, end: bytes.length })
  }
  delete(name: string): void {
    this.#files.delete(name)
  }

  files(): Files {
    const { epoch } = this
    const call: Call = (name, effect, half) => this.#call(epoch, name, effect, half)
    return {
      list: () => this.names(),
      read: (name) => this.bytesOf(name),
      create: async (name) => {
        await call('create', () => {
          expect(this.#files.has(name), `${name} is new`).to.equal(false)
          this.#files.set(name, { bytes: Buffer.alloc(0), synced: Buffer.alloc(0), end: 0 })
        })
        return this.#open(name, call)
      },
      open: async (name) => this.#open(name, call),
      remove: (name) => call('remove', () => void this.#files.delete(name)),
      syncFolder: () =>
        call('syncFolder', () => {
          this.#synced = new Map(this.#files)
        }),
      lock: () => {
        expect(this.#locked, 'locked once').to.equal(false)
        this.#locked = true
        return () => {
          if (this.epoch === epoch) this.#locked = false
        }
      },
    }
  }

  #open(name: string, call: Call): OpenFile {
    const file = this.#file(name)
    const sync = async () => {
      try {
        await call('sync', () => {
          file.synced = file.bytes
        })
      } catch (error) {
        this.#poisoned.add(file)
        throw error
      }
    }
    return {
      write: async (bytes, position) => {
        const append = (size: number) => {
          expect(this.#poisoned.has(file), 'no write after a failed sync').to.equal(false)
          expect(position, 'appends only').to.equal(file.end)
          file.end = position + size
          file.bytes = longer(file.bytes, file.end)
          bytes.copy(file.bytes, position, 0, size)
        }
        const whole = () => append(bytes.length)
        await call('write', whole, () => append(bytes.length >> 1))
        await sync()
      },
      fill: (position, size) => {
        const zeros = (end: number) => {
          expect(position, 'zeros behind all that was written').to.be.at.least(file.end)
          file.bytes = longer(file.bytes, end)
          file.bytes.fill(0, position, end)
          file.synced = longer(file.synced, end)
        }
        return call('fill', () => zeros(position + size), () => zeros(position + (size >> 1))) // prettier-ignore
      },
      truncate: async (size) => {
        await call('truncate', () => {
          file.bytes = file.bytes.subarray(0, size)
        })
        await sync()
      },
      sync,
      close: async () => undefined,
    }
  }
  #file(name: string): MemoryFile {
    const file = this.#files.get(name)
    if (file === undefined) throw new Error(`no file ${name}`)
    return file
  }
  async #call(epoch: number, name: Fault['call'], effect: () => void, half?: () => void) {
    await Promise.resolve()
    if (epoch !== this.epoch) return new Promise<void>(() => undefined)
    const count = (this.#counts.get(name) ?? 0) + 1
    this.#counts.set(name, count)
    const fault = this.fault?.call === name && this.fault.at === count ? this.fault : undefined
    if (fault?.how === 'torn') half?.()
    else if (fault?.how !== 'lost') effect()
    if (fault !== undefined) throw new Error(`injected: ${name} ${fault.how}`)
  }
}

/** A copy, at least as long. */
function longer(bytes: Buffer, size: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(Math.max(0, size - bytes.length))])
}

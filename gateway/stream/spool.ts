/**
 * Bodies that must be whole before any of it leaves, and are too long for memory: encrypted files under
 * keys that exist in memory alone, without a name from the moment they are made. @module
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../base/problem.ts'

/** Plaintext of one frame: what is authenticated, and held in memory, at once. */
const FRAME_BYTES = 65_536
const TAG_BYTES = 16

/** One body in a file. */
export interface Spool {
  /** @throws {Problem} `overloaded` when the files together would be longer than allowed. */
  write(bytes: Buffer): Promise<void>
  /** Nothing more will be written. */
  finish(): Promise<void>
  readonly length: () => number
  /** Reads it back; only after `finish`. @throws {Error} when the file is not what was written. */
  read(): AsyncGenerator<Buffer>
  /** Gives the space back. */
  close(): Promise<void>
}

/** Makes spools in one folder. */
export interface SpoolFolder {
  open(): Promise<Spool>
  /** Bytes that all open spools take now. */
  readonly bytes: () => number
}

/**
 * Opens the folder, and removes what a crash left between making a file and taking its name away:
 * files without a byte in them.
 *
 * @param bytesMax of all spools together.
 */
export function openSpoolFolder(folder: string, bytesMax: number): SpoolFolder {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
  let taken = 0
  let made = 0
  return {
    bytes: () => taken,
    open: async () => {
      const path = join(folder, `${process.pid}-${made++}`)
      const file = await open(path, 'wx+', 0o600)
      try {
        await unlink(path)
      } catch (error) {
        await file.close()
        throw error
      }
      return createSpool(file, (bytes) => {
        if (taken + bytes > bytesMax) {
          throw new Problem('overloaded', 'the bodies that are held back take all space allowed')
        }
        taken += bytes
      })
    },
  }
}

/** @param take takes space, or gives it back. */
function createSpool(file: FileHandle, take: (bytes: number) => void): Spool {
  // Nobody else has the key, and each nonce counts one frame of one file.
  const key = randomBytes(32)
  let pending: Buffer[] = []
  let held = 0
  let length = 0
  const frames: number[] = []

  const flush = async (size: number): Promise<void> => {
    const all = Buffer.concat(pending, held)
    take(size)
    length += size
    held -= size
    pending = held === 0 ? [] : [all.subarray(size)]
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(frames.length))
    frames.push(size)
    const sealed = [cipher.update(all.subarray(0, size)), cipher.final(), cipher.getAuthTag()]
    await file.appendFile(Buffer.concat(sealed))
  }

  return {
    length: () => length + held,
    write: async (bytes) => {
      pending.push(Buffer.from(bytes))
      held += bytes.length
      while (held >= FRAME_BYTES) await flush(FRAME_BYTES)
    },
    finish: async () => {
      if (held > 0) await flush(held)
    },
    read: async function* () {
      let position = 0
      for (const [index, size] of frames.entries()) {
        const frame = Buffer.alloc(size + TAG_BYTES)
        const { bytesRead } = await file.read(frame, 0, frame.length, position)
        if (bytesRead !== frame.length) throw new Error('the spool file is too short')
        position += frame.length
        const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index))
        decipher.setAuthTag(frame.subarray(size))
        yield Buffer.concat([decipher.update(frame.subarray(0, size)), decipher.final()])
      }
    },
    close: async () => {
      key.fill(0)
      take(-length)
      length = 0
      await file.close()
    },
  }
}

function nonceOf(frame: number): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(frame, 8)
  return nonce
}

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

/** One body in a file. One writer at a time. */
export interface Spool {
  /**
   * Takes all of the bytes or, when it throws, none of them.
   *
   * @throws {Problem} `overloaded` when the files together would be longer than allowed, or the disk is full.
   */
  write(bytes: Buffer): Promise<void>
  readonly length: () => number
  /** Reads it back from its start. @throws {Error} when the file is not what was written. */
  read(): AsyncGenerator<Buffer>
  /** @returns forgets what is written from now on. */
  mark(): () => void
  /** Gives the space back. */
  close(): Promise<void>
}

/** Makes spools in one folder. */
export interface SpoolFolder {
  open(): Promise<Spool>
  /** Bytes that all open spools take now. */
  readonly bytes: () => number
}

/** What a spool needs of its file. */
export type SpoolFile = Pick<FileHandle, 'read' | 'write' | 'close'>

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

/** Writes into one file. @param take takes space, or gives it back. */
export function createSpool(file: SpoolFile, take: (bytes: number) => void): Spool {
  const frames = createFrames(file)
  /** What follows the frames, less than one of them, is in memory. */
  let tail: Buffer[] = []
  let tailBytes = 0

  const flush = async (): Promise<void> => {
    const all = Buffer.concat(tail, tailBytes)
    take(FRAME_BYTES)
    try {
      await frames.append(all.subarray(0, FRAME_BYTES))
    } catch (error) {
      take(-FRAME_BYTES)
      throw fullDisk(error)
    }
    tailBytes -= FRAME_BYTES
    tail = tailBytes === 0 ? [] : [all.subarray(FRAME_BYTES)]
  }

  const mark = () => {
    const before = { frames: frames.count(), tail, pieces: tail.length, tailBytes }
    return () => {
      take((before.frames - frames.count()) * FRAME_BYTES)
      frames.cut(before.frames)
      // A flush puts another list in its place, so this one has only grown.
      tail = before.tail
      tail.length = before.pieces
      tailBytes = before.tailBytes
    }
  }

  return {
    mark,
    length: () => frames.count() * FRAME_BYTES + tailBytes,
    write: async (bytes) => {
      const undo = mark()
      tail.push(Buffer.from(bytes))
      tailBytes += bytes.length
      try {
        while (tailBytes >= FRAME_BYTES) await flush()
      } catch (error) {
        undo()
        throw error
      }
    },
    read: async function* () {
      for (let index = 0; index < frames.count(); index++) yield await frames.read(index)
      if (tailBytes > 0) yield Buffer.concat(tail, tailBytes)
    },
    close: async () => {
      take(-frames.count() * FRAME_BYTES)
      frames.cut(0)
      tail = []
      tailBytes = 0
      await frames.close()
    },
  }
}

/** Encrypted frames, one behind the other. */
function createFrames(file: SpoolFile) {
  // Nobody else has the key, and no nonce is used twice, not even for a frame that is written anew.
  const key = randomBytes(32)
  let sealings = 0
  const nonces: number[] = []
  return {
    count: () => nonces.length,
    cut: (count: number): void => {
      nonces.length = count
    },
    append: async (plain: Buffer): Promise<void> => {
      const nonce = sealings++
      const cipher = createCipheriv('aes-256-gcm', key, nonceOf(nonce))
      const frame = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
      await writeAt(file, frame, nonces.length * frame.length)
      nonces.push(nonce)
    },
    read: async (index: number): Promise<Buffer> => {
      const frame = Buffer.alloc(FRAME_BYTES + TAG_BYTES)
      const { bytesRead } = await file.read(frame, 0, frame.length, index * frame.length)
      if (bytesRead !== frame.length) throw new Error('the spool file is too short')
      const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(nonces[index] ?? 0))
      decipher.setAuthTag(frame.subarray(FRAME_BYTES))
      return Buffer.concat([decipher.update(frame.subarray(0, FRAME_BYTES)), decipher.final()])
    },
    close: async (): Promise<void> => {
      key.fill(0)
      await file.close()
    },
  }
}

/** A write may take less than all of it; what was written of one that fails is written over. */
async function writeAt(file: SpoolFile, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const left = bytes.length - done
    done += (await file.write(bytes, done, left, position + done)).bytesWritten
  }
}

function fullDisk(error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException
  if (!['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)) return error
  return new Problem('overloaded', 'the disk is full', { cause: error })
}

function nonceOf(frame: number): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(frame, 6, 6)
  return nonce
}

/** The file system as the journal uses it, so that tests can make any call fail. @module */
import {
  close,
  constants,
  fdatasync,
  ftruncate,
  mkdirSync,
  openSync,
  promises,
  readdirSync,
  readFileSync,
  write,
} from 'node:fs'
import { join } from 'node:path'
import { syncFolder } from '../durable.ts'
import { DatabaseSync } from 'node:sqlite'
import { Problem } from '../../base/problem.ts'

/** A file being written. */
export interface OpenFile {
  /** Writes all bytes at a position; resolves when they are durable. */
  write(bytes: Buffer, position: number): Promise<void>
  /** Makes the file longer by zeros, durably, past a descriptor of its own: see ahead.ts. */
  fill(position: number, size: number): Promise<void>
  /** Cuts the file off, durably. */
  truncate(size: number): Promise<void>
  /** Makes durable what an earlier process may have left in the page cache. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** Files of one folder, by name. */
export interface Files {
  list(): readonly string[]
  read(name: string): Buffer
  /** Makes a new file, 0600; a name that exists is an error. */
  create(name: string): Promise<OpenFile>
  open(name: string): Promise<OpenFile>
  remove(name: string): Promise<void>
  /** Makes created and removed names durable. */
  syncFolder(): Promise<void>
  /** Takes the folder for this process; the lock ends with the process or with the call returned. */
  lock(): () => void
}

const { O_CREAT, O_DSYNC, O_EXCL, O_WRONLY } = constants
/** Each write is its own fdatasync (open(2)): one turn of the thread pool instead of two. */
const DURABLE = O_WRONLY | O_DSYNC

/** The machine's file system below one folder, which is made (0700) when absent. */
export function nodeFiles(folder: string): Files {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const at = (name: string) => join(folder, name)
  return {
    list: () => readdirSync(folder),
    read: (name) => readFileSync(at(name)),
    create: async (name) => openFile(at(name), O_CREAT | O_EXCL | DURABLE),
    open: async (name) => openFile(at(name), DURABLE),
    remove: (name) => promises.unlink(at(name)),
    syncFolder: () => syncFolder(folder),
    lock: () => lockFolder(folder),
  }
}

/** What files are filled with: never written to. */
let zeros = Buffer.alloc(0)

/** Plain descriptors: FileHandle's promises cost as much again as the system calls. */
function openFile(path: string, flags: number): OpenFile {
  const descriptor = openSync(path, flags, 0o600)
  let filler: number | undefined
  return {
    write: (bytes, position) => call((done) => writeAll(descriptor, bytes, position, done)),
    fill: async (position, size) => {
      // Of its own, so that no write misses an error because a filling was told of it (errseq_t of the kernel).
      filler ??= openSync(path, O_WRONLY | O_DSYNC)
      if (zeros.length < size) zeros = Buffer.alloc(size)
      await call((done) => writeAll(filler as number, zeros.subarray(0, size), position, done))
    },
    truncate: async (size) => {
      await call((done) => ftruncate(descriptor, size, done))
      await call((done) => fdatasync(descriptor, done))
    },
    sync: () => call((done) => fdatasync(descriptor, done)),
    close: async () => {
      if (filler !== undefined) await call((done) => close(filler as number, done))
      await call((done) => close(descriptor, done))
    },
  }
}

function call(begin: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => begin((error) => (error ? reject(error) : resolve())))
}

/** A write may take less than it was given. */
function writeAll(
  descriptor: number,
  bytes: Buffer,
  position: number,
  done: (error: Error | null) => void,
): void {
  write(descriptor, bytes, 0, bytes.length, position, (error, written) => {
    if (error !== null || written >= bytes.length) return done(error)
    writeAll(descriptor, bytes.subarray(written), position + written, done)
  })
}

/**
 * An exclusive SQLite transaction on an empty file: a lock of the operating system that dies with
 * the process and that also holds between containers which share the folder.
 */
function lockFolder(folder: string): () => void {
  const database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    const detail = `another process uses the journal in \`${folder}\`: stop it, or configure another \`data\` folder`
    throw new Problem('evidence-unavailable', detail, { cause })
  }
  return () => database.close()
}

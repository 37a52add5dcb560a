/** Where the log's files live: a folder behind a port that an object store can also serve. @module */
import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { syncFolderNow } from '../durable.ts'

/**
 * Objects by key. A key is one or more names joined by `/`.
 *
 * `put` resolves when the object is durable: a crash later loses nothing, and a reader sees the old
 * object or the new one, never a part. `get` gives undefined for a missing object and throws for
 * every other failure. `list` gives all keys that start with the prefix, which ends in `/`.
 */
export interface Store {
  put(key: string, bytes: Uint8Array): Promise<void>
  get(key: string): Promise<Buffer | undefined>
  list(prefix: string): Promise<string[]>
  delete(key: string): Promise<void>
}

/**
 * A store in a folder: temporary file, fsync, rename, fsync of each folder that gained a name. All
 * calls are synchronous: the log has a thread of its own, in which node's thread pool would cost
 * twice the processor time and stand in the way of the journal.
 */
export function openFolderStore(path: string): Store {
  const root = resolve(path)
  let temporary = 0
  const known = new Set<string>()
  const makeFolder = (folder: string): void => {
    if (known.has(folder)) return
    mkdirSync(folder, { recursive: true })
    // Each new folder is a name in its parent: without this fsync a power cut drops the whole branch.
    for (let at = folder; at.startsWith(root); at = dirname(at)) syncFolderNow(dirname(at))
    known.add(folder)
  }
  return {
    put: async (key, bytes) => {
      const target = join(root, key)
      const folder = dirname(target)
      makeFolder(folder)
      const partial = join(folder, `.${process.pid}-${temporary++}.tmp`)
      try {
        writeDurably(partial, bytes)
        renameSync(partial, target)
      } catch (error) {
        known.delete(folder)
        rmSync(partial, { force: true })
        throw error
      }
      syncFolderNow(folder)
    },
    get: async (key) => {
      try {
        return readFileSync(join(root, key))
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
    list: async (prefix) => {
      try {
        const entries = readdirSync(join(root, prefix), { recursive: true, withFileTypes: true })
        return entries
          .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
          .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
          .sort()
      } catch (error) {
        if (isMissing(error)) return []
        throw error
      }
    },
    delete: async (key) => {
      rmSync(join(root, key), { force: true })
      const folder = dirname(join(root, key))
      if (!folder.endsWith('.p')) return
      known.delete(folder)
      try {
        rmdirSync(folder)
      } catch (error) {
        if (!isMissing(error) && !hasCode(error, 'ENOTEMPTY')) throw error
      }
    },
  }
}

function writeDurably(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w', 0o640)
  try {
    writeFileSync(file, bytes)
    fdatasyncSync(file)
  } finally {
    closeSync(file)
  }
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

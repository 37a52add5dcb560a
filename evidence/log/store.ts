/** Where the log's files live: a folder behind a port that an object store can also serve. @module */
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { syncFolder } from '../durable.ts'

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

/** A store in a folder: temporary file, fsync, rename, fsync of each folder that gained a name. */
export function openFolderStore(path: string): Store {
  const root = resolve(path)
  let temporary = 0
  const known = new Set<string>()
  const makeFolder = async (folder: string): Promise<void> => {
    if (known.has(folder)) return
    await mkdir(folder, { recursive: true })
    // Each new folder is a name in its parent: without this fsync a power cut drops the whole branch.
    for (let at = folder; at.startsWith(root); at = dirname(at)) await syncFolder(dirname(at))
    known.add(folder)
  }
  return {
    put: async (key, bytes) => {
      const target = join(root, key)
      const folder = dirname(target)
      await makeFolder(folder)
      const partial = join(folder, `.${process.pid}-${temporary++}.tmp`)
      try {
        const file = await open(partial, 'w', 0o640)
        try {
          await file.writeFile(bytes)
          await file.datasync()
        } finally {
          await file.close()
        }
        await rename(partial, target)
      } catch (error) {
        known.delete(folder)
        await rm(partial, { force: true })
        throw error
      }
      await syncFolder(folder)
    },
    get: async (key) => {
      try {
        return await readFile(join(root, key))
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
    list: async (prefix) => {
      try {
        const entries = await readdir(join(root, prefix), { recursive: true, withFileTypes: true })
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
      await rm(join(root, key), { force: true })
      const folder = dirname(join(root, key))
      if (!folder.endsWith('.p')) return
      known.delete(folder)
      await rmdir(folder).catch((error: unknown) => {
        if (!isMissing(error) && !hasCode(error, 'ENOTEMPTY')) throw error
      })
    },
  }
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/** What folders promise here: a file is there whole or not at all, also after a power cut. @module */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Problem } from '../../base/problem.ts'
import { syncFolder } from '../../evidence/durable.ts'

/** Writes a file whole: under another name first. Its folder is synced. */
export async function writeWhole(path: string, content: string): Promise<void> {
  const temporary = `${path}.part`
  const file = await open(temporary, 'w', 0o640)
  try {
    await file.writeFile(content)
    await file.datasync()
  } finally {
    await file.close()
  }
  await moveFile(temporary, path)
}

/** Makes an empty file unless it is there; two may do so at once. */
export async function touch(path: string): Promise<void> {
  await (await open(path, 'a', 0o640)).close()
  await syncFolder(dirname(path))
}

/** Renames within one file system, and syncs both folders. */
export async function moveFile(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncFolder(dirname(to))
  if (dirname(from) !== dirname(to)) await syncFolder(dirname(from))
}

/** Moves a file unless that has happened: then `to` is there, and `from` is not. */
export async function moveOnce(from: string, to: string): Promise<void> {
  if (await exists(from)) await moveFile(from, to)
}

/** Removes a file, when there is one. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true })
  await syncFolder(dirname(path))
}

/** Tells one version of a file from another; empty when there is none. */
export async function stampOf(path: string): Promise<string> {
  if (!(await exists(path))) return ''
  const { ino, size, mtimeMs } = await lstat(path)
  return `${ino} ${size} ${mtimeMs}`
}

/** Whether anything has this name, a dangling link included. */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return false
  }
}

/**
 * Opens an input. Who may write to the folder must not make us read another file: a link is refused.
 *
 * @throws {Problem} `file-refused` when it is no plain file.
 */
export async function openInput(path: string): Promise<FileHandle> {
  // Attacker-controlled: whoever may write to the folder chose what this is.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(path, flags).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ELOOP') throw notPlain(cause)
    throw cause
  })
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw notPlain()
}

/** Reads a small file; undefined when there is none. @throws {Problem} `file-refused` when it is long. */
export async function readSmall(path: string, bytesMax: number): Promise<string | undefined> {
  if (!(await exists(path))) return undefined
  const handle = await openInput(path)
  try {
    if ((await handle.stat()).size > bytesMax) {
      throw new Problem('file-refused', `a companion is longer than ${bytesMax} bytes`)
    }
    return await readFile(handle, 'utf8')
  } finally {
    await handle.close()
  }
}

function notPlain(cause?: unknown): Problem {
  return new Problem('file-refused', 'it is no plain file', { cause })
}

/** Files that are there whole or not at all, also after a power cut. @module */
import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { link, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a file whole or not at all: a crash leaves the old one, or a stray temporary one. */
export async function writeFileDurably(
  path: string,
  text: string,
  mode: number,
  how: 'create' | 'replace',
): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`
  const file = await open(temporary, 'wx', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    if (how === 'replace') await rename(temporary, path)
    else await link(temporary, path) // Unlike rename, never replaces what another process made.
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  if (how === 'create') await unlink(temporary)
  await syncFolder(dirname(path))
}

/** Makes the names in a folder durable: without it a power cut drops what was made or renamed there. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The same, while nothing else of the thread waits. */
export function syncFolderNow(folder: string): void {
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

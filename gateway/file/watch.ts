/** Looks into a drop folder, over and over, and takes what is whole, one file at a time. @module */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { areThere, type Companion, isDataFile } from './companion.ts'
import { type Desk, Undecided } from './desk.ts'
import { LOOK_MS, REST_MS } from './limits.ts'
import type { FileReport } from './state.ts'

/** A drop folder and where its files go. */
export interface DropFolders {
  readonly input: string
  readonly output: string
  readonly companions: readonly Companion[]
}

/** What the watching tells. */
export interface WatchEvents {
  /** What lies in the folder: files that are whole, and files that wait for a companion. */
  readonly waiting: (whole: number, incomplete: number) => void
  readonly report: (report: FileReport) => void
  /** Something that no file is to blame for; it is tried again. */
  readonly trouble: (error: unknown) => void
}

/** Takes files until `stop`; the one under way is finished. @throws {Undecided} */
export async function watchFolder(
  desk: Desk,
  folders: DropFolders,
  { waiting, report, trouble }: WatchEvents,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    let pauseMs = LOOK_MS
    try {
      const { whole, incomplete } = await look(folders)
      for (const [index, name] of whole.entries()) {
        waiting(whole.length - index, incomplete)
        if (stop.aborted) return
        report(await desk.take(join(folders.input, name), waysOf(folders, name)))
      }
      waiting(0, incomplete)
    } catch (error) {
      if (error instanceof Undecided) throw error
      trouble(error)
      pauseMs = REST_MS
    }
    await sleep(pauseMs, undefined, { signal: stop }).catch(() => undefined)
  }
}

/** What is whole, in the order of names: partners put dates into them. */
async function look({ input, companions }: DropFolders) {
  const entries = await readdir(input, { withFileTypes: true })
  const names = entries.filter((entry) => !entry.isDirectory() && isDataFile(entry.name))
  const whole: string[] = []
  for (const { name } of names) {
    if (await areThere(join(input, name), companions)) whole.push(name)
  }
  return { whole: whole.toSorted(), incomplete: names.length - whole.length }
}

function waysOf({ input, output, companions }: DropFolders, name: string) {
  return {
    output: join(output, name),
    companions,
    done: join(input, 'done'),
    refused: join(input, 'refused'),
    reportAt: join(input, 'refused', `${name}.report.json`),
  }
}

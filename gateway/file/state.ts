/**
 * What is decided of a file and not finished yet: one small file for each, durable before the record
 * is. Whether the record is there tells a restart whether to finish or to begin again. @module
 */
import { mkdirSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Companion } from './companion.ts'
import { exists, removeFile, touch, writeWhole } from './folder.ts'

/** What becomes of one file; paths are absolute. */
export interface FileState {
  readonly v: 1
  readonly rid: string
  readonly input: string
  /** Which version of the input this is about: another one under its name stays. */
  readonly stamp: string
  readonly companions: readonly Companion[]
  /** The output while it is not released. */
  readonly part: string
  /** Absent when the file is refused. */
  readonly output?: { readonly path: string; readonly md5: string }
  /** Where the input goes in the end; absent: it stays. */
  readonly keepIn?: string
  /** What is told of it. */
  readonly report: FileReport
  /** Where the report of a refusal is written. */
  readonly reportAt?: string
}

/** What a person or a program is told of one file. No value stands in it. */
export interface FileReport {
  readonly file: string
  readonly record: string
  readonly result: 'delivered' | 'refused'
  readonly policy: string
  readonly rows?: number
  /** Those of them of which nothing left, when there are any. */
  readonly dropped?: number
  /** Merkle roots over the rows as they came and as they left. */
  readonly rootReceived?: string
  readonly rootForwarded?: string
  readonly bytesReceived: number
  readonly bytesForwarded: number
  readonly seconds: number
  readonly problem?: string
  readonly detail?: string
}

/** The states of one instance. */
export interface States {
  put(state: FileState): Promise<void>
  /** Says that the record is durable. Harmless for records that have no state. */
  mark(rid: string): Promise<void>
  isMarked(rid: string): Promise<boolean>
  remove(rid: string): Promise<void>
  /** Before anything else: it also clears away what a crash left of others. */
  list(): Promise<readonly FileState[]>
}

/** Opens the folder, and makes it when there is none. */
export function openStates(folder: string): States {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const stateOf = (rid: string) => join(folder, `${rid}.json`)
  const markOf = (rid: string) => join(folder, `${rid}.sealed`)
  // Marks come from two sides at once; one that comes after the end would stay for ever.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work)
    last = turn
    return turn
  }
  return {
    put: (state) => writeWhole(stateOf(state.rid), JSON.stringify(state)),
    mark: (rid) =>
      inTurn(async () => {
        if (await exists(stateOf(rid))) await touch(markOf(rid))
      }),
    isMarked: (rid) => exists(markOf(rid)),
    remove: (rid) =>
      inTurn(async () => {
        // The state first: a mark without one says nothing, a state without its mark would.
        await removeFile(stateOf(rid))
        await removeFile(markOf(rid))
      }),
    list: async () => {
      const found = (await readdir(folder)).toSorted()
      const names = found.filter((name) => name.endsWith('.json'))
      for (const name of found) {
        const isStray = !names.includes(`${name.slice(0, name.indexOf('.'))}.json`)
        if (isStray || name.endsWith('.part')) await removeFile(join(folder, name))
      }
      const texts = names.map((name) => readFile(join(folder, name), 'utf8'))
      return (await Promise.all(texts)).map((text) => JSON.parse(text) as FileState)
    },
  }
}

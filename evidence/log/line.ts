/**
 * The line of logs: one log each half-year, every one fixing the last checkpoint of the one before.
 * Positions count through the whole line, so the index needs to know nothing of it. @module
 */
import { Problem } from '../../base/problem.ts'
import { compareNames, isLogName, keysOf } from './line-name.ts'
import type { Verifier } from './note.ts'
import { type LogReader, openCosigned, openReader } from './reader.ts'
import type { Store } from './store.ts'

/** Where the names of the logs stand, oldest first, one in a line. */
const NAMES_KEY = 'logs'

/** One log of the line, as readers see it. */
export interface LogView {
  readonly name: string
  readonly store: Store
  /** Position of its first leaf in the line. */
  readonly offset: number
  readonly reader: LogReader
  /** The newest state that witnesses cosigned, if any. */
  readonly cosigned: LogReader | undefined
  readonly logKeys: readonly Verifier[]
}

/** The names of the logs, oldest first; none before the first record. */
export async function readNames(root: Store): Promise<string[]> {
  const text = (await root.get(NAMES_KEY))?.toString() ?? ''
  return text.split('\n').filter(isLogName)
}

/** Adds a name to the list: readers see the log from then on. */
export async function addName(root: Store, name: string): Promise<string[]> {
  const before = await readNames(root)
  const names = [...new Set([...before, name])].sort(compareNames)
  if (names.length > before.length) await root.put(NAMES_KEY, Buffer.from(`${names.join('\n')}\n`))
  return names
}

/** The part of a store that one log fills. */
export function logStore(root: Store, name: string): Store {
  return {
    put: (key, bytes) => root.put(`${name}/${key}`, bytes),
    get: (key) => root.get(`${name}/${key}`),
    list: async (prefix) =>
      (await root.list(`${name}/${prefix}`)).map((key) => key.slice(name.length + 1)),
    delete: (key) => root.delete(`${name}/${key}`),
  }
}

/**
 * Opens the published state of every log, oldest first.
 *
 * @param keys verifier keys named by the line.
 * @throws {Problem} `log-unavailable` when there is no log yet.
 */
export async function openLineReader(root: Store, keys: readonly Verifier[]): Promise<LogView[]> {
  const views: LogView[] = []
  let offset = 0
  for (const name of await readNames(root)) {
    const store = logStore(root, name)
    const reader = await openReader(store)
    const logKeys = keysOf(keys, reader.checkpoint.origin)
    views.push({ name, store, offset, reader, logKeys, cosigned: await openCosigned(store) })
    offset += reader.checkpoint.size
  }
  if (views.length === 0) throw new Problem('log-unavailable', 'there is no log here yet')
  return views
}

/** The log that holds a position of the line. @throws {Problem} `request-malformed` beyond the end. */
export function logAt(views: readonly LogView[], position: number): LogView {
  const view = views.findLast(({ offset }) => offset <= position)
  if (view !== undefined && position < view.offset + view.reader.checkpoint.size) return view
  throw new Problem('request-malformed', `there is no record ${position} in the log`)
}

/** What is read from files and stays in force while the gateway runs: read again when they change, all or nothing. @module */
import { createHash } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { createReport, type Report } from '../../base/diagnostic.ts'
import { readPolicyFiles } from './folder.ts'
import { RELOAD_QUIET_MS } from './limits.ts'

/** Where it comes from. */
export interface LiveSource<T> {
  /** Folders that are watched. */
  readonly folders: readonly string[]
  /** Changes with what the files say; a touched file with equal bytes changes nothing. */
  digest(): string
  /** Nothing when `report` gained an error. */
  load(report: Report): Promise<T | undefined>
}

/** Told after each change of the files; a failed one leaves the last good in force. */
export interface LiveEvents<T> {
  reloaded(now: T, before: T): void
  /** `report` says what is wrong; the gateway alarms and goes on with what it had. */
  rejected(report: Report): void
}

/** The last good reading. */
export interface Live<T> {
  /** What is in force; an exchange takes it once and keeps it to its end. */
  current(): T
  /** Looks at the files now; resolves when what it found is in force or rejected. */
  reload(): Promise<void>
  close(): void
}

/** Opens a source, or nothing when `report` gained an error: without a first good reading nothing starts. */
export async function openLive<T>(
  source: LiveSource<T>,
  report: Report,
  events: LiveEvents<T>,
): Promise<Live<T> | undefined> {
  // INVARIANT: taken before loading, so that a change in between is found by the next look.
  let digest = source.digest()
  const first = await source.load(report)
  if (first === undefined) return undefined
  let current = first

  async function look(): Promise<void> {
    const found = source.digest()
    if (found === digest) return
    digest = found
    const attempt = createReport()
    const next = await source.load(attempt)
    if (next === undefined) return events.rejected(attempt)
    const before = current
    current = next
    events.reloaded(next, before)
  }

  let looking = Promise.resolve()
  const reload = () => (looking = looking.then(look))
  const watchers = source.folders.map((folder) => watchQuietly(folder, () => void reload()))
  return {
    current: () => current,
    reload,
    close: () => {
      for (const watcher of watchers) watcher.close()
    },
  }
}

/** The content of all policy files and the dictionary of kinds, names included. */
export function digestOfPolicies(folder: string): string {
  const hash = createHash('sha256')
  const report = createReport()
  for (const { file, text } of readPolicyFiles([folder], report, 'with-kinds'))
    hash.update(JSON.stringify([file, text]))
  hash.update(JSON.stringify(report.diagnostics.map(({ message }) => message)))
  return hash.digest('hex')
}

function watchQuietly(folder: string, changed: () => void): Pick<FSWatcher, 'close'> {
  let timer: NodeJS.Timeout | undefined
  const watcher = watch(folder, { persistent: false }, () => {
    clearTimeout(timer)
    timer = setTimeout(changed, RELOAD_QUIET_MS).unref()
  })
  // A folder that vanishes ends the watching; `reload` still works when it is back.
  watcher.on('error', changed)
  return {
    close() {
      clearTimeout(timer)
      watcher.close()
    },
  }
}

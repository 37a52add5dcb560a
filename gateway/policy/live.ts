/** The policies in force while the gateway runs: reloaded when the folder changes, all or nothing. @module */
import { createHash } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { createReport, type Report } from '../../base/diagnostic.ts'
import { readPolicyFiles } from './folder.ts'
import { RELOAD_QUIET_MS } from './limits.ts'
import { loadRegistry, type PolicyPorts, type Registry } from './registry.ts'

/** Told after each change of the folder; a failed one leaves the last good policies in force. */
export interface PolicyEvents {
  reloaded(registry: Registry, before: Registry): void
  /** `report` says what is wrong; the gateway alarms and goes on with what it had. */
  rejected(report: Report): void
}

export interface LivePolicies {
  /** The policies in force; an exchange takes one registry and keeps it to its end. */
  current(): Registry
  /** Looks at the folder now; resolves when what it found is in force or rejected. */
  reload(): Promise<void>
  close(): void
}

/** Opens the folder, or nothing when `report` gained an error: without policies nothing starts. */
export async function openPolicies(
  folder: string,
  ports: PolicyPorts,
  report: Report,
  events: PolicyEvents,
): Promise<LivePolicies | undefined> {
  // INVARIANT: taken before loading, so that a change in between is found by the next look.
  let digest = digestOf(folder)
  const first = await loadRegistry(folder, ports, report)
  if (first === undefined) return undefined
  let current = first

  async function look(): Promise<void> {
    const found = digestOf(folder)
    if (found === digest) return
    digest = found
    const attempt = createReport()
    const registry = await loadRegistry(folder, ports, attempt)
    if (registry === undefined) return events.rejected(attempt)
    const before = current
    current = registry
    events.reloaded(registry, before)
  }

  let looking = Promise.resolve()
  const reload = () => (looking = looking.then(look))
  const watcher = watchQuietly(folder, () => void reload())
  return { current: () => current, reload, close: () => watcher.close() }
}

/** The content of all policy files, names included; a touched file with equal bytes changes nothing. */
function digestOf(folder: string): string {
  const hash = createHash('sha256')
  const report = createReport()
  for (const { file, text } of readPolicyFiles([folder], report))
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

/** `sealgate log renewals`: by when which time stamps are renewed. @module */
import type { Command } from 'commander'
import { logStore, readNames } from '../evidence/log/line.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import { logPlaces } from '../gateway/places.ts'
import { type CalendarEntry, readCalendar } from '../workers/renewal.ts'
import { CONFIG_OPTION, type LoadConfig } from './config.ts'

/** Adds the command. It changes nothing: `serve` and `worker` renew once a day what is due. */
export function addRenewals(log: Command, loadConfig: LoadConfig): void {
  log
    .command('renewals')
    .description('print the renewal calendar of the time stamps')
    .option(...CONFIG_OPTION)
    .option('--json', 'one JSON object for each token')
    .action(async (options: { config: string; json?: true }) => {
      const config = await loadConfig(options.config)
      const root = openFolderStore(logPlaces(config).log)
      for (const name of await readNames(root)) {
        const entries = await readCalendar(logStore(root, name), config.timestamp.sunsets)
        const lines = options.json ? entries.map((entry) => JSON.stringify({ log: name, ...entry })) : summary(name, entries) // prettier-ignore
        for (const line of lines) process.stdout.write(`${line}\n`)
      }
    })
}

/** Thousands of tokens of one authority fall due together: one line for each day, authority and cause. */
function summary(name: string, entries: readonly CalendarEntry[]): string[] {
  const groups = Map.groupBy(
    entries,
    ({ due, kind, source, reason }) =>
      `${due.toISOString().slice(0, 10)} ${kind} ${source} ${reason}`,
  )
  return [...groups.values()].map((group) => {
    const [first] = group
    const sizes = group.map(({ size }) => size)
    const span = `${Math.min(...sizes)} to ${Math.max(...sizes)}`
    const day = first?.due.toISOString().slice(0, 10)
    const what = `${first?.kind} renewal of ${group.length} tokens by ${first?.source}`
    return `${day}  ${name}  ${what}, checkpoints ${span}: ${first?.reason}`
  })
}

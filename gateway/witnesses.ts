/** Runs the witnessing of the log that a configuration names. @module */
import { readFileSync } from 'node:fs'
import { logStore, readNames } from '../evidence/log/line.ts'
import { parsePolicy } from '../evidence/log/policy.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import type { ThreadEvents } from '../workers/thread.ts'
import { startWitnessing } from '../workers/witness.ts'
import type { Config } from './config.ts'
import { logPlaces } from './places.ts'

/** Shows the log to its witnesses until closed; whoever appends to the log runs it. */
export function startWitnesses(
  config: Config,
  { alarm, witnessed }: ThreadEvents,
): { close(): Promise<void> } | undefined {
  if (config.witnesses === undefined) return undefined
  const { policy, intervalMs } = config.witnesses
  const root = openFolderStore(logPlaces(config).log)
  const logs = async () => (await readNames(root)).map((name) => logStore(root, name))
  return startWitnessing({
    ...{ logs, intervalMs, alarm, witnessed },
    policy: parsePolicy(readFileSync(policy, 'utf8')),
  })
}

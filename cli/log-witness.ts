/** `sealgate log cosign|monitor`: the log's side of witnessing; run them from a timer. @module */
import type { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { Problem } from '../base/problem.ts'
import type { LogPlaces } from '../evidence/log/open.ts'
import { parsePolicy, type WitnessPolicy } from '../evidence/log/policy.ts'
import { type LogView, openLineReader } from '../evidence/log/line.ts'
import { COSIGNED_KEY } from '../evidence/log/reader.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import { collectCosignatures, compareView } from '../evidence/log/witness-client.ts'
import { CONFIG_OPTION } from './config.ts'

interface WitnessOptions {
  readonly config: string
  readonly policy: string
}

/** Adds the commands. Exit 0: quorum met, views agree; 1: a split view; 2: not enough answers. */
export function addWitnessing(
  log: Command,
  places: (options: WitnessOptions) => Promise<LogPlaces>,
): void {
  log
    .command('cosign')
    .description('have the newest checkpoint cosigned by the witnesses of a policy')
    .option(...CONFIG_OPTION)
    .requiredOption('--policy <file>', 'witness policy (c2sp.org/tlog-policy)')
    .action(async (options: WitnessOptions) => {
      process.exitCode = await cosignNewest(await places(options), readPolicy(options.policy))
    })
  log
    .command('monitor')
    .description('compare what the witnesses saw of this log with the log')
    .option(...CONFIG_OPTION)
    .requiredOption('--policy <file>', 'witness policy (c2sp.org/tlog-policy)')
    .action(async (options: WitnessOptions) => {
      process.exitCode = await compareAll(await places(options), readPolicy(options.policy))
    })
}

async function cosignNewest({ log }: LogPlaces, policy: WitnessPolicy): Promise<number> {
  const { store, reader } = await newest(log)
  const { text, met, cosigned, failures } = await collectCosignatures(reader, policy)
  for (const { name, timeS } of cosigned) {
    process.stdout.write(`✓ ${name} at ${new Date(timeS * 1000).toISOString()}\n`)
  }
  for (const { name, problem } of failures) process.stderr.write(`✗ ${name}: ${problem.message}\n`)
  // A state that too few have seen must not be shown as witnessed; the older one still is.
  if (met) await store.put(COSIGNED_KEY, Buffer.from(text))
  if (failures.some(({ problem }) => problem.slug === 'log-inconsistent')) return 1
  return met ? 0 : 2
}

async function compareAll({ log }: LogPlaces, policy: WitnessPolicy): Promise<number> {
  const { reader } = await newest(log)
  let worst = 0
  for (const { name, url, verifier } of policy.witnesses) {
    if (url === undefined) continue
    try {
      const size = await compareView(url, verifier, reader)
      process.stdout.write(`✓ ${name} agrees at ${size} of ${reader.checkpoint.size} records\n`)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      process.stderr.write(`✗ ${name}: ${error.message}\n`)
      worst = error.slug === 'log-inconsistent' ? 1 : worst === 1 ? 1 : 2
    }
  }
  return worst
}

/** The log that is being filled. @throws {Problem} `log-unavailable` */
async function newest(log: string): Promise<LogView> {
  const views = await openLineReader(openFolderStore(log), [])
  return views.at(-1) as LogView // INVARIANT: there is one, or it would have thrown.
}

function readPolicy(file: string): WitnessPolicy {
  return parsePolicy(readFileSync(file, 'utf8'))
}

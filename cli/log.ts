/** `sealgate log fsck|checkpoint|succeed|trust|cosign|monitor|renewals`. @module */
import type { Command } from 'commander'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../base/problem.ts'
import { fsckLine } from '../evidence/log/fsck-line.ts'
import { readLogVerifiers } from '../evidence/log/keys.ts'
import { openLockStore } from '../evidence/log/lock.ts'
import { openLineReader } from '../evidence/log/line.ts'
import type { LogPlaces } from '../evidence/log/open.ts'
import { succeed } from '../evidence/log/open-line.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import { readPem } from '../evidence/pem.ts'
import { formatTrust } from '../evidence/verify-trust.ts'
import { logPlaces } from '../gateway/places.ts'
import { timestampRoots } from '../gateway/timestamps.ts'
import { CONFIG_OPTION, type LoadConfig } from './config.ts'
import { addRenewals } from './log-renewals.ts'
import { addWitnessing } from './log-witness.ts'

interface LogOptions {
  readonly config: string
}

/** Adds the commands. `fsck` exits 1 with the first contradiction, 2 when there is no log to read. */
export function addLog(program: Command, loadConfig: LoadConfig): void {
  const log = program.command('log').description('inspect the evidence log')
  const places = async (options: LogOptions): Promise<LogPlaces> =>
    logPlaces(await loadConfig(options.config))
  log
    .command('fsck')
    .description('re-derive the whole log from the bytes on disk')
    .option(...CONFIG_OPTION)
    .action(async (options: LogOptions) => {
      process.exitCode = await runFsck(await places(options))
    })
  log
    .command('checkpoint')
    .description('print the newest signed checkpoint')
    .option(...CONFIG_OPTION)
    .action(async (options: LogOptions) => {
      const views = await openLineReader(openFolderStore((await places(options)).log), [])
      process.stdout.write(views.at(-1)?.reader.text ?? '')
    })
  log
    .command('succeed')
    .description('begin the successor of a log that cannot go on, such as one from a backup')
    .option(...CONFIG_OPTION)
    .action(async (options: LogOptions) => {
      const name = await succeed(await places(options))
      process.stdout.write(`${name} begins; it fixes the last checkpoint of the log before it\n`)
    })
  log
    .command('trust')
    .description('print the trust anchors that `verify --trust` takes')
    .option(...CONFIG_OPTION)
    .requiredOption('--root <file>', 'root certificate, PEM')
    .option('--policy <file>', 'witness policy that checkpoints must meet')
    .action(async (options: LogOptions & { root: string; policy?: string }) => {
      const config = await loadConfig(options.config)
      const { data, origin } = logPlaces(config)
      const logKeys = readLogVerifiers(join(data, 'keys'), origin)
      const roots = readPem(readFileSync(options.root, 'utf8'))
      const policy = options.policy === undefined ? undefined : readFileSync(options.policy, 'utf8')
      const stampRoots = await timestampRoots(config)
      const anchors = stampRoots.length === 0 ? {} : { timestampRoots: stampRoots }
      process.stdout.write(formatTrust({ roots, logKeys, ...anchors }, policy))
    })
  addWitnessing(log, places)
  addRenewals(log, loadConfig)
}

async function runFsck({ log, data, origin }: LogPlaces): Promise<number> {
  const progress = (name: string, done: number, total: number): void => {
    process.stderr.write(`\r${name}: ${done} of ${total} records`)
    if (done === total) process.stderr.write('\n')
  }
  try {
    const lockFile = join(data, 'lock.sqlite')
    if (!existsSync(lockFile)) throw new Problem('log-unavailable', 'there is no log here yet')
    const lock = openLockStore(lockFile)
    const sound = await fsckLine({
      ...{ root: openFolderStore(log), origin, progress },
      keys: readLogVerifiers(join(data, 'keys'), origin),
      locked: async (each) => (await lock.read(each))?.checkpoint,
    }).finally(() => lock.close())
    for (const { name, size, root, instances } of sound) {
      process.stdout.write(`sound: ${name}, ${size} records of ${instances} instances, root ${root}\n`) // prettier-ignore
    }
    return 0
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    process.stderr.write(`${error.slug}: ${error.message}\n`)
    return error.slug === 'log-inconsistent' ? 1 : 2
  }
}

/** `sealgate log fsck|checkpoint|trust|cosign|monitor`. @module */
import type { Command } from 'commander'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../base/problem.ts'
import { fsck } from '../evidence/log/fsck.ts'
import { readLogVerifiers } from '../evidence/log/keys.ts'
import { openLockStore } from '../evidence/log/lock.ts'
import type { LogPlaces } from '../evidence/log/open.ts'
import { openReader } from '../evidence/log/reader.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import { readPem } from '../evidence/pem.ts'
import { formatTrust } from '../evidence/verify-trust.ts'
import { logPlaces } from '../gateway/places.ts'
import { timestampRoots } from '../gateway/timestamps.ts'
import { CONFIG_OPTION, type LoadConfig } from './config.ts'
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
      const reader = await openReader(openFolderStore((await places(options)).log))
      process.stdout.write(reader.text)
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
}

async function runFsck({ log, data, origin }: LogPlaces): Promise<number> {
  const report = (done: number, total: number): void => {
    process.stderr.write(`\r${done} of ${total} records`)
    if (done === total) process.stderr.write('\n')
  }
  try {
    const lockFile = join(data, 'lock.sqlite')
    if (!existsSync(lockFile)) throw new Problem('log-unavailable', 'there is no log here yet')
    const lock = openLockStore(lockFile)
    const { size, root, instances } = await fsck({
      store: openFolderStore(log),
      verifiers: readLogVerifiers(join(data, 'keys'), origin),
      progress: report,
      locked: async () => (await lock.read(origin))?.checkpoint,
    }).finally(() => lock.close())
    process.stdout.write(`sound: ${size} records of ${instances} instances, root ${root}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    process.stderr.write(`${error.slug}: ${error.message}\n`)
    return error.slug === 'log-inconsistent' ? 1 : 2
  }
}

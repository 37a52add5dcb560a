/** `sealgate log fsck|checkpoint|trust`. @module */
import type { Command } from 'commander'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../base/problem.ts'
import { fsck } from '../evidence/log/fsck.ts'
import { openLogKeys } from '../evidence/log/keys.ts'
import { openLockStore } from '../evidence/log/lock.ts'
import type { LogPlaces } from '../evidence/log/open.ts'
import { openReader } from '../evidence/log/reader.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import { readPem } from '../evidence/pem.ts'
import { formatTrust } from '../evidence/verify-trust.ts'
import { CONFIG_OPTION, type LoadConfig, logPlaces } from './places.ts'

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
    .action(async (options: LogOptions & { root: string }) => {
      const { data, origin } = await places(options)
      const logKeys = openLogKeys(join(data, 'keys'), origin).map(({ verifier }) => verifier)
      process.stdout.write(
        formatTrust({ roots: readPem(readFileSync(options.root, 'utf8')), logKeys }),
      )
    })
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
    const locked = await lock.read(origin)
    lock.close()
    const { size, root, instances } = await fsck({
      store: openFolderStore(log),
      verifiers: openLogKeys(join(data, 'keys'), origin).map(({ verifier }) => verifier),
      progress: report,
      ...(locked === undefined ? {} : { locked: locked.checkpoint }),
    })
    process.stdout.write(`sound: ${size} records of ${instances} instances, root ${root}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    process.stderr.write(`${error.slug}: ${error.message}\n`)
    return error.slug === 'log-inconsistent' ? 1 : 2
  }
}

/** `sealgate file`: reconciliation files through policy, guard and evidence, one or a whole drop folder. @module */
import { type Command, Option } from 'commander'
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { createReport, renderReport } from '../base/diagnostic.ts'
import type { Companion } from '../gateway/file/companion.ts'
import { type FileBegun, Undecided } from '../gateway/file/desk.ts'
import { openDesk } from '../gateway/file/open.ts'
import { PROGRESS_MS } from '../gateway/file/limits.ts'
import type { FileReport } from '../gateway/file/state.ts'
import { watchFolder } from '../gateway/file/watch.ts'
import { createLogger, describeError } from '../gateway/log.ts'
import type { Progress } from '../gateway/stream/passage.ts'
import { ADMIN_OPTION, adminUrl } from './admin-client.ts'
import { CONFIG_OPTION, fail, type LoadConfig } from './config.ts'

/** Exit codes: the file was refused; the command must be started again. */
const EXIT_REFUSED = 1
const EXIT_UNDECIDED = 3

const COMPANIONS: Readonly<Record<string, readonly Companion[]>> = {
  md5: ['md5'],
  ok: ['ok'],
  both: ['md5', 'ok'],
  none: [],
}

interface FileCommand {
  readonly config: string
  readonly route: string
  readonly type?: string
  readonly companion: string
  readonly watch?: true
  readonly admin?: string
}

/** Adds `file`. */
export function addFile(program: Command, readConfig: LoadConfig): void {
  program
    .command('file')
    .description('pass a file, or what comes into a folder, by a policy; `serve` must run')
    .argument('<in>', 'a file; with --watch a folder')
    .argument('<out>', 'the file to write; with --watch a folder')
    .requiredOption('--route <policy>', 'the policy in force that it goes by')
    .option('--type <media type>', "what the files are, when the policy's `body` does not say it")
    .addOption(
      new Option('--companion <kind>', 'flag files that come and go with each file')
        .choices(Object.keys(COMPANIONS))
        .default('md5'),
    )
    .option('--watch', 'take every file of a folder, until stopped')
    .option(...ADMIN_OPTION)
    .option(...CONFIG_OPTION)
    .action(async (input: string, output: string, options: FileCommand) => {
      await run(resolve(input), resolve(output), options, readConfig)
    })
}

async function run(
  input: string,
  output: string,
  options: FileCommand,
  readConfig: LoadConfig,
): Promise<void> {
  const config = await readConfig(options.config)
  const report = createReport()
  const log = createLogger(options.watch ? undefined : 'warn')
  const progress = createProgress()
  const open = await openDesk({
    config,
    policy: options.route,
    mediaType: options.type,
    log,
    report,
    begin: progress.begin,
    admin: adminUrl(config, options.admin),
  })
  if (open === undefined) return fail(renderReport(report))
  const { desk, waiting, close } = open
  const tell = (told: FileReport) => {
    progress.end()
    process.stdout.write(`${JSON.stringify(told)}\n`)
  }
  const companions = COMPANIONS[options.companion] ?? []
  try {
    for (const told of await desk.resume()) tell(told)
    if (options.watch) {
      for (const folder of [input, output]) mkdirSync(folder, { recursive: true })
      const trouble = (error: unknown) =>
        log.error({ error: describeError(error) }, 'the folder waits')
      const stop = stopOnSignal()
      log.info({ input, output }, 'sealgate is ready')
      await watchFolder(
        desk,
        { input, output, companions },
        { waiting, report: tell, trouble },
        stop,
      )
    } else {
      const ways = { output, companions, reportAt: `${output}.report.json` }
      const told = await desk.take(input, ways)
      tell(told)
      if (told.result === 'refused') process.exitCode = EXIT_REFUSED
    }
  } catch (error) {
    if (!(error instanceof Undecided)) throw error
    log.error({ error: describeError(error.cause) }, error.message)
    process.exitCode = EXIT_UNDECIDED
  } finally {
    progress.end()
    await close()
  }
}

/** The first signal lets the file under way end; a second one ends at once, and a restart goes on. */
function stopOnSignal(): AbortSignal {
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(1)
    stop.abort()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return stop.signal
}

/** One line on a terminal: rows, bytes, rate, what is left. */
function createProgress() {
  let timer: NodeJS.Timeout | undefined
  const end = () => {
    if (timer === undefined) return
    clearInterval(timer)
    timer = undefined
    process.stderr.write('\r\u001b[K')
  }
  return {
    end,
    begin: ({ name, total }: FileBegun, progress: () => Progress) => {
      end()
      if (!process.stderr.isTTY) return
      const startedMs = performance.now()
      timer = setInterval(() => {
        const seconds = (performance.now() - startedMs) / 1000
        process.stderr.write(`\r\u001b[K${renderProgress(name, progress(), total, seconds)}`)
      }, PROGRESS_MS)
    },
  }
}

/** `loans.csv: 120000 rows, 12.0 of 24.0 MB, 6.0 MB/s, 2 s left` */
export function renderProgress(
  file: string,
  { rows, received }: Progress,
  total: number,
  seconds: number,
): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1)
  const rate = received / Math.max(seconds, 0.001)
  const left = rate === 0 ? '' : `, ${renderTime(Math.max(0, total - received) / rate)} left`
  const size = `${megabytes(received)} of ${megabytes(total)} MB, ${megabytes(rate)} MB/s`
  return `${file}: ${rows} rows, ${size}${left}`
}

function renderTime(seconds: number): string {
  if (seconds <= 120) return `${Math.ceil(seconds)} s`
  return `${Math.ceil(seconds / 60)} min`
}

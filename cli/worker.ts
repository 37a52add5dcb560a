/** `sealgate worker`: takes sealed records from the queue into the log. @module */
import type { Command } from 'commander'
import { openLogSink } from '../gateway/sink.ts'
import { startPersistWorker } from '../workers/worker.ts'
import { CONFIG_OPTION, type LoadConfig } from './config.ts'

/** Adds the command. It runs until SIGINT or SIGTERM, and finishes the batch in hand then. */
export function addWorker(program: Command, loadConfig: LoadConfig): void {
  program
    .command('worker')
    .description('append queued records to the log')
    .option(...CONFIG_OPTION)
    .action(async (options: { config: string }) => {
      const config = await loadConfig(options.config)
      if (config.queue.kind !== 'redis') {
        process.stderr.write(
          '`queue: embedded` needs no worker: the gateway itself fills the log\n',
        )
        process.exitCode = 2
        return
      }
      const alarm = (message: string, error?: unknown): void => {
        const detail = error instanceof Error ? error.message : String(error)
        process.stderr.write(`worker: ${message}: ${detail}\n`)
      }
      const sink = await openLogSink(config, { alarm, witnessed: () => undefined })
      const worker = await startPersistWorker(config.queue.url, sink.persist, { alarm })
      process.stdout.write('worker: sealgate is ready\n')
      await new Promise<void>((resolve) => {
        process.once('SIGINT', resolve)
        process.once('SIGTERM', resolve)
      })
      await worker.close()
      await sink.close()
    })
}

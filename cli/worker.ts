/** `sealgate worker`: takes sealed records from the queue into the log. @module */
import type { Command } from 'commander'
import { systemClock } from '../base/clock.ts'
import { openLine } from '../evidence/log/open-line.ts'
import { startTimestamps } from '../gateway/timestamps.ts'
import { startWitnesses } from '../gateway/witnesses.ts'
import { createEmbeddedPersist } from '../workers/embedded.ts'
import { startPersistWorker } from '../workers/worker.ts'
import { logPlaces } from '../gateway/places.ts'
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
      const places = logPlaces(config)
      const persister = createEmbeddedPersist(() => openLine(places))
      const alarm = (message: string, error?: unknown): void => {
        const detail = error instanceof Error ? error.message : String(error)
        process.stderr.write(`worker: ${message}: ${detail}\n`)
      }
      const stamps = await startTimestamps(config, systemClock, alarm)
      const witnessing = startWitnesses(config, alarm)
      const worker = await startPersistWorker(config.queue.url, persister.persist, { alarm })
      process.stdout.write('worker: sealgate is ready\n')
      await new Promise<void>((resolve) => {
        process.once('SIGINT', resolve)
        process.once('SIGTERM', resolve)
      })
      await worker.close()
      await witnessing?.close()
      await stamps.close()
      await persister.close()
    })
}

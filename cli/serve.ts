/** `sealgate serve`. @module */
import type { Command } from 'commander'
import { createReport, renderReport } from '../base/diagnostic.ts'
import { createLogger } from '../gateway/log.ts'
import { type Gateway, startGateway } from '../gateway/serve.ts'
import { CONFIG_OPTION, fail, readConfig } from './config.ts'

/** Adds `serve`. */
export function addServe(program: Command): void {
  program
    .command('serve')
    .description('run the gateway')
    .option(...CONFIG_OPTION)
    .action(async ({ config: file }: { config: string }) => {
      const config = await readConfig(file)
      const report = createReport()
      const log = createLogger()
      const gateway = await startGateway(config, { log, report })
      if (gateway === undefined) return fail(renderReport(report))
      stopOnSignal(gateway)
    })
}

/** The first signal drains; a second one ends at once, and the journal keeps what was begun. */
function stopOnSignal(gateway: Gateway): void {
  let stopping = false
  const stop = () => {
    if (stopping) process.exit(1)
    stopping = true
    gateway.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

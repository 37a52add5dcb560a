/** What every command that reads `sealgate.yaml` shares: loading it, and how a mistake ends. @module */
import { InvalidArgumentError } from 'commander'
import { createReport, renderReport } from '../base/diagnostic.ts'
import { Problem, toProblemDetails } from '../base/problem.ts'
import type { Config } from '../gateway/config.ts'
import { loadConfig } from '../gateway/config-parse.ts'
import { ConfigFault } from '../gateway/fault.ts'

/** Exit code for a mistake in files, options or the machine. */
const EXIT_USAGE = 2

/** Reads the configuration that `--config` names. */
export type LoadConfig = (file: string) => Promise<Config>

/** The option of every command that reads the configuration. */
export const CONFIG_OPTION = ['--config <file>', 'configuration file', 'sealgate.yaml'] as const

/** Reads which row is meant. */
export function parseRow(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a whole number from 1')
}

/** Reads the configuration; prints everything that is wrong with it and ends the process. */
export async function readConfig(file: string): Promise<Config> {
  const report = createReport()
  const config = loadConfig(file, process.env, report)
  if (config !== undefined && report.errorCount === 0) return config
  return fail(renderReport(report))
}

/** Prints a mistake of the user or the installation with its help; what is not one is a bug and is thrown on. */
export function failOn(error: unknown): never {
  if (error instanceof ConfigFault) return fail(`${error.message}\n`)
  if (error instanceof Problem) {
    return fail(`${error.slug}: ${error.message}\n  help: ${toProblemDetails(error).help}\n`)
  }
  throw error
}

/** Writes to stderr and ends with code 2. */
export function fail(text: string): never {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`)
  process.exit(EXIT_USAGE)
}

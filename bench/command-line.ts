/** How the command starts node, so that what is measured is started alike. @module */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Flags of node, and environment variables. */
export interface CommandLine {
  readonly flags: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** Reads the first line of cli/sealgate.js. @throws {Error} when it says something else. */
export function readCommandLine(): CommandLine {
  const path = join(import.meta.dirname, '../cli/sealgate.js')
  const [line = ''] = readFileSync(path, 'utf8').split('\n', 1)
  const found = /^#!\/usr\/bin\/env -S ((?:[A-Z_]+=\S+ )*)node((?: --\S+)*)$/.exec(line)
  if (found === null) throw new Error(`no command line: ${line}`)
  const [, variables = '', flags = ''] = found
  const words = (text: string) => text.split(' ').filter((word) => word !== '')
  return {
    flags: words(flags),
    environment: Object.fromEntries(words(variables).map((word) => word.split('=', 2))),
  }
}

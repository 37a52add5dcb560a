/** Where a configuration puts the log and what belongs to it. @module */
import { join } from 'node:path'
import { Problem } from '../base/problem.ts'
import type { LogPlaces } from '../evidence/log/open.ts'
import type { Config } from './config.ts'

/** The log's name when the configuration gives none: fit for one machine and for trials. */
const DEFAULT_ORIGIN = 'sealgate.localhost/evr'

/** The line of logs: its folder and its name. @throws {Problem} `log-unavailable` when the log is not in a folder. */
export function logPlaces({ data, log, gm, origin = DEFAULT_ORIGIN }: Config): LogPlaces {
  if (log.kind !== 'folder') {
    throw new Problem(
      'log-unavailable',
      `a log in \`${log.kind}\` cannot be opened by this version`,
    )
  }
  return { data, log: log.path, origin, sm3: gm === true }
}

/** The folder of every policy file that was ever in force, by its SHA-256. */
export function policyArchive(data: string): string {
  return join(data, 'policy-archive')
}

/** The SM2 key that signs checkpoints and exports. */
export function sm2File({ data }: Config): string {
  return join(data, 'keys', 'sm2.pem')
}

/** The folder of the seal keys' certificate chains. */
export function chainsFolder(data: string): string {
  return join(data, 'certificates')
}

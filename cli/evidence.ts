/** `sealgate evidence search|show|export`. @module */
import { type Command, InvalidArgumentError } from 'commander'
import { join } from 'node:path'
import { toTimestamp } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import type { IndexQuery, IndexRow } from '../evidence/index/index.ts'
import { openSqliteIndex } from '../evidence/index/sqlite.ts'
import { readLogVerifiers } from '../evidence/log/keys.ts'
import { indexPath, type LogPlaces } from '../evidence/log/open.ts'
import { logAt, openLineReader } from '../evidence/log/line.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import { readRecord } from '../evidence/seal.ts'
import { logPlaces } from '../gateway/places.ts'
import { linkPseudonym } from '../gateway/token/link.ts'
import { openKeyRing } from '../gateway/token/ring-file.ts'
import { CONFIG_OPTION, type LoadConfig } from './config.ts'
import { addKeeping } from './custody.ts'
import { addExport, parseTime } from './evidence-export.ts'

interface Common {
  readonly config: string
}
interface SearchOptions extends Common, Omit<IndexQuery, 'sinceUs' | 'untilUs' | 'rid' | 'from'> {
  readonly since?: number
  readonly until?: number
  readonly json?: true
}

/** Adds the commands. */
export function addEvidence(program: Command, loadConfig: LoadConfig): void {
  const evidence = program.command('evidence').description('find and export evidence records')
  const places = async ({ config }: Common): Promise<LogPlaces> =>
    logPlaces(await loadConfig(config))
  addSearch(evidence, places)
  addKeeping(evidence, loadConfig)
  evidence
    .command('show')
    .description('print one record as JSON')
    .argument('<rid>', 'record id (Evidence-Id)')
    .option(...CONFIG_OPTION)
    .action(async (rid: string, options: Common) => {
      const { data, log, origin } = await places(options)
      const index = openSqliteIndex(indexPath(data))
      const [row] = await index.search({ rid })
      await index.close()
      if (row === undefined)
        throw new Problem('request-malformed', `no record \`${rid}\` in the index`)
      const keys = readLogVerifiers(join(data, 'keys'), origin)
      const view = logAt(await openLineReader(openFolderStore(log), keys), row.position)
      const { header, payload } = readRecord(
        (await view.reader.record(row.position - view.offset)).jws,
      )
      process.stdout.write(`${JSON.stringify({ header, payload }, null, 2)}\n`)
    })
  addExport(evidence, loadConfig)
}

function addSearch(evidence: Command, places: (options: Common) => Promise<LogPlaces>): void {
  evidence
    .command('search')
    .description('list records; all conditions must hold')
    .option(...CONFIG_OPTION)
    .option('--since <time>', 'received at or after, RFC 3339', parseTime)
    .option('--until <time>', 'received before, RFC 3339', parseTime)
    .option('--kind <kind>', 'exchange, refusal, key, …')
    .option('--caller <party>')
    .option('--recipient <party>')
    .option('--party <party>', 'as caller or as recipient')
    .option('--route <route>')
    .option('--policy <id[@version]>')
    .option('--link <key>', 'pseudonymous link key, or NAME=VALUE, such as loan=L-7')
    .option('--case <rid>', 'all records that share a link key with this one')
    .option('--limit <count>', 'at most this many', parseCount, 100)
    .option('--json', 'one JSON object per line')
    .action(async ({ config, since, until, json, link, ...query }: SearchOptions) => {
      const { data } = await places({ config })
      const index = openSqliteIndex(indexPath(data))
      const rows = await index.search({
        ...query,
        ...(link === undefined ? {} : { link: linkKey(link, data) }),
        ...(since === undefined ? {} : { sinceUs: since }),
        ...(until === undefined ? {} : { untilUs: until }),
      })
      await index.close()
      for (const row of rows)
        process.stdout.write(`${json ? JSON.stringify(row) : formatRow(row)}\n`)
    })
}

/** A link key holds no `=`; a value becomes the key under which its records were sealed. */
function linkKey(text: string, data: string): string {
  const at = text.indexOf('=')
  if (at < 0) return text
  return linkPseudonym(openKeyRing(join(data, 'keys')), text.slice(0, at), text.slice(at + 1))
}

function formatRow(row: IndexRow): string {
  const parties = `${row.caller ?? '-'} → ${row.recipient ?? '-'}`
  const time = toTimestamp(BigInt(row.receivedUs))
  return [row.rid, time, row.kind, parties, row.route ?? '-', row.policy ?? '-'].join('  ')
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a whole number from 1')
}

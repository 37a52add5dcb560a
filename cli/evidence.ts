/** `sealgate evidence search|show|export`. @module */
import { type Command, InvalidArgumentError } from 'commander'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toTimestamp } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import { derivedSecrets } from '../evidence/commitment.ts'
import { openCommitmentKey } from '../evidence/commitment-key.ts'
import { type ClaimedValue, exportRecord } from '../evidence/export.ts'
import { openChains } from '../evidence/export-chains.ts'
import { formatExported } from '../evidence/export-format.ts'
import type { IndexQuery, IndexRow } from '../evidence/index/index.ts'
import { openSqliteIndex } from '../evidence/index/sqlite.ts'
import { readLogVerifiers } from '../evidence/log/keys.ts'
import { indexPath, type LogPlaces } from '../evidence/log/open.ts'
import { logAt, openLineReader } from '../evidence/log/line.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import { readRecord } from '../evidence/seal.ts'
import type { Config } from '../gateway/config.ts'
import { chainsFolder, logPlaces } from '../gateway/places.ts'
import { linkPseudonym } from '../gateway/token/link.ts'
import { openKeyRing } from '../gateway/token/ring-file.ts'
import { timestampRoots } from '../gateway/timestamps.ts'
import { CONFIG_OPTION, type LoadConfig } from './config.ts'
import { addKeeping } from './custody.ts'

interface Common {
  readonly config: string
}
interface SearchOptions extends Common, Omit<IndexQuery, 'sinceUs' | 'untilUs' | 'rid' | 'from'> {
  readonly since?: number
  readonly until?: number
  readonly json?: true
}
interface ExportOptions extends Common {
  readonly open?: readonly ClaimedValue[]
  readonly out?: string
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
  evidence
    .command('export')
    .description('write one record with all that proves it')
    .argument('<rid>', 'record id (Evidence-Id)')
    .option(...CONFIG_OPTION)
    .option('--open <name=value>', 'disclose a value that you know; repeatable', collectPair)
    .option('--out <file>', 'write here instead of to standard output')
    .action(async (rid: string, { open = [], out, ...options }: ExportOptions) => {
      const text = formatExported(await exported(await loadConfig(options.config), rid, open))
      // What is disclosed is personal: only the caller may read the file.
      if (out === undefined) process.stdout.write(text)
      else writeFileSync(out, text, { mode: 0o600 })
    })
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

async function exported(
  config: Config,
  rid: string,
  open: readonly ClaimedValue[],
): ReturnType<typeof exportRecord> {
  const { log, data, origin } = logPlaces(config)
  const index = openSqliteIndex(indexPath(data))
  try {
    const logKeys = readLogVerifiers(join(data, 'keys'), origin)
    const ports = {
      logs: await openLineReader(openFolderStore(log), logKeys),
      index,
      chainOf: openChains(chainsFolder(data)),
      timestampRoots: await timestampRoots(config),
      ...(open.length === 0
        ? {}
        : { secrets: derivedSecrets(openCommitmentKey(join(data, 'keys/commitment.key'))) }),
    }
    return await exportRecord(ports, rid, open)
  } finally {
    await index.close()
  }
}

function collectPair(text: string, before: readonly ClaimedValue[] = []): ClaimedValue[] {
  const at = text.indexOf('=')
  if (at <= 0) throw new InvalidArgumentError('expected NAME=VALUE')
  return [...before, { name: text.slice(0, at), value: text.slice(at + 1) }]
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a whole number from 1')
}

function parseTime(text: string): number {
  const milliseconds = Date.parse(text)
  if (Number.isNaN(milliseconds)) throw new InvalidArgumentError('expected an RFC 3339 time')
  return milliseconds * 1000
}

/** `sealgate evidence export`: one record as JSON, or a case as a dossier. @module */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { createReadStream, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock, toTimestamp } from '../base/clock.ts'
import { derivedSecrets } from '../evidence/commitment.ts'
import { openCommitmentKey } from '../evidence/commitment-key.ts'
import {
  type DossierPorts,
  type DossierRequest,
  exportDossier,
} from '../evidence/dossier/export.ts'
import { type ClaimedValue, exportRecord } from '../evidence/export.ts'
import { openChains } from '../evidence/export-chains.ts'
import { formatExported } from '../evidence/export-format.ts'
import { countersign, openSm2Identity } from '../evidence/gm/identity.ts'
import type { IndexQuery } from '../evidence/index/index.ts'
import { openSqliteIndex } from '../evidence/index/sqlite.ts'
import { readLogVerifiers } from '../evidence/log/keys.ts'
import { openLineReader } from '../evidence/log/line.ts'
import { indexPath } from '../evidence/log/open.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import { openPolicies } from '../evidence/policy-archive.ts'
import { type OpenedRow, rowFactsOf, TREE_NAMES, type TreeName } from '../evidence/rows/opened.ts'
import { proveRow } from '../evidence/rows/prove.ts'
import { readRecord } from '../evidence/seal.ts'
import { openRevocationLists } from '../evidence/x509-lists.ts'
import type { Config } from '../gateway/config.ts'
import { chainsFolder, logPlaces, policyArchive, sm2File } from '../gateway/places.ts'
import { rowsOf } from '../gateway/stream/rows-of.ts'
import { timestampRoots } from '../gateway/timestamps.ts'
import { linkPseudonym } from '../gateway/token/link.ts'
import { openKeyRing } from '../gateway/token/ring-file.ts'
import { rowFormFor } from './row-form.ts'
import { CONFIG_OPTION, fail, type LoadConfig, parseRow } from './config.ts'

interface ExportOptions {
  readonly config: string
  readonly open?: readonly ClaimedValue[]
  readonly out?: string
  readonly case?: string
  readonly link?: readonly string[]
  readonly since?: number
  readonly until?: number
  readonly complete?: true
  readonly row?: number
  readonly file?: string
  readonly tree?: TreeName
}

/** Adds the command. */
export function addExport(evidence: Command, loadConfig: LoadConfig): void {
  evidence
    .command('export')
    .description('write one record (JSON), or a case as a dossier (zip), with all that proves it')
    .argument('[rid...]', 'record ids (Evidence-Id)')
    .option(...CONFIG_OPTION)
    .option('--case <rid>', 'all records that share a link key with this one')
    .option('--link <name=value>', 'all records of a loan, an application, …; repeatable', collect)
    .option('--since <time>', 'all records received at or after, RFC 3339', parseTime)
    .option('--until <time>', 'all records received before, RFC 3339', parseTime)
    .option('--complete', "with every record between each instance's first and last: none left out")
    .option('--open <name=value>', 'disclose a value that you know; repeatable', collectPair)
    .option('--row <number>', 'show one row of a long body, from 1; needs --file', parseRow)
    .option('--file <file>', 'the body that has the row, as it came (or left: see --tree)')
    .addOption(
      new Option('--tree <name>', 'which body the file is')
        .choices(TREE_NAMES)
        .default('request.received'),
    )
    .option('--out <file>', 'write here; a dossier ends in .zip')
    .action(async (rids: string[], { config: file, ...options }: ExportOptions) => {
      const config = await loadConfig(file)
      // What is disclosed is personal: only the caller may read the file.
      const write = async (out: string, content: string | Uint8Array) => {
        writeFileSync(out, content, { mode: 0o600 })
        if (config.gm === undefined) return
        const identity = await openSm2Identity(sm2File(config), systemClock)
        writeFileSync(`${out}.p7s`, await countersign(identity, Buffer.from(content)))
      }
      const { out, open = [] } = options
      if (!asksForDossier(rids, options)) {
        const one = await exportOne(config, rids[0] ?? '', open)
        const { row, file: body, tree = 'request.received' } = options
        const rows = row === undefined ? {} : { rows: [await openRow(config, one.record, { row, tree, file: body ?? '' })] } // prettier-ignore
        const text = formatExported({ ...one, ...rows })
        if (out === undefined) process.stdout.write(text)
        else await write(out, text)
        return
      }
      if (out?.endsWith('.zip') !== true) fail('a dossier is a zip; say where with --out FILE.zip')
      const request = readRequest(config, rids, options)
      await write(out, await withPorts(config, open, (ports) => exportDossier(ports, request)))
    })
}

function asksForDossier(rids: readonly string[], options: Omit<ExportOptions, 'config'>): boolean {
  const { out, case: of, link, since, until, complete } = options
  const chosen = [of, link, since, until, complete].some((choice) => choice !== undefined)
  if (rids.length === 0 && !chosen) fail('name records, or choose them by --case, --link, --since')
  return chosen || rids.length !== 1 || out?.endsWith('.zip') === true
}

function readRequest(
  { data }: Config,
  rids: readonly string[],
  options: Omit<ExportOptions, 'config'>,
): DossierRequest {
  const { since, until, complete, open = [], link = [], case: of } = options
  const ring = link.length === 0 ? undefined : openKeyRing(join(data, 'keys'))
  const links = link.map((text) => {
    const { name, value } = readPair(text)
    return ring === undefined ? text : linkPseudonym(ring, name, value)
  })
  const span = {
    ...(since === undefined ? {} : { sinceUs: since }),
    ...(until === undefined ? {} : { untilUs: until }),
  }
  const timed = since !== undefined || until !== undefined
  const named = rids.map((rid): IndexQuery => ({ rid }))
  // A span narrows a case and links; alone it is a choice itself.
  const searched: IndexQuery[] = [
    ...(of === undefined ? [] : [{ case: of, ...span }, { rid: of }]),
    ...links.map((key) => ({ link: key, ...span })),
  ]
  const queries = [...named, ...(searched.length === 0 && timed ? [span] : searched)]
  const time = (us: number) => toTimestamp(BigInt(us))
  const selection = {
    ...(rids.length === 0 ? {} : { rids: rids.toSorted() }),
    ...(of === undefined ? {} : { case: of }),
    ...(links.length === 0 ? {} : { links: links.toSorted() }),
    ...(since === undefined ? {} : { since: time(since) }),
    ...(until === undefined ? {} : { until: time(until) }),
  }
  return { selection, queries, open, complete: complete === true }
}

function exportOne(config: Config, rid: string, open: readonly ClaimedValue[]) {
  return withPorts(config, open, (ports) => exportRecord(ports, rid, open))
}

/** Opens one row for whoever has the body; the file is read once, and not kept. */
async function openRow(
  { data }: Config,
  jws: string,
  { row, file, tree }: { row: number; file: string; tree: TreeName },
): Promise<OpenedRow> {
  const { payload } = readRecord(jws)
  const members = payload as unknown as Readonly<Record<string, unknown>>
  const facts = rowFactsOf(members, tree)
  if (facts === undefined) fail(`the record has no rows in \`${tree}\``)
  if (members['custody'] !== undefined) fail('only custody has the secret of this record: use `sealgate reveal --body request --row …`') // prettier-ignore
  if (!existsSync(file)) fail('say with --file where the body is that has the row')
  const secrets = derivedSecrets(openCommitmentKey(join(data, 'keys', 'commitment.key')))
  const form = rowFormFor(openPolicies(policyArchive(data)), members, tree)
  const rows = rowsOf(createReadStream(file) as AsyncIterable<Buffer>, form)
  return proveRow(rows, secrets.secretOf(payload.rid), { tree, index: row - 1, facts })
}

async function withPorts<Result>(
  config: Config,
  open: readonly ClaimedValue[],
  work: (ports: DossierPorts) => Promise<Result>,
): Promise<Result> {
  const { log, data, origin } = logPlaces(config)
  const keys = join(data, 'keys')
  const index = openSqliteIndex(indexPath(data))
  try {
    return await work({
      logs: await openLineReader(openFolderStore(log), readLogVerifiers(keys, origin)),
      index,
      chainOf: openChains(chainsFolder(data)),
      timestampRoots: await timestampRoots(config),
      revocationLists: await openRevocationLists(keys, systemClock),
      policyOf: openPolicies(policyArchive(data)),
      ...(open.length === 0
        ? {}
        : { secrets: derivedSecrets(openCommitmentKey(join(keys, 'commitment.key'))) }),
    })
  } finally {
    await index.close()
  }
}

/** Gathers the values of an option that is repeated. */
function collect(text: string, before: readonly string[] = []): readonly string[] {
  readPair(text)
  return [...before, text]
}

function collectPair(text: string, before: readonly ClaimedValue[] = []): readonly ClaimedValue[] {
  return [...before, readPair(text)]
}

function readPair(text: string): ClaimedValue {
  const at = text.indexOf('=')
  if (at <= 0) throw new InvalidArgumentError('expected NAME=VALUE')
  return { name: text.slice(0, at), value: text.slice(at + 1) }
}

/** Microseconds since the Unix epoch. */
export function parseTime(text: string): number {
  const milliseconds = Date.parse(text)
  if (Number.isNaN(milliseconds)) throw new InvalidArgumentError('expected an RFC 3339 time')
  return milliseconds * 1000
}

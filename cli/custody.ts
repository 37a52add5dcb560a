/** `sealgate reveal` and `sealgate evidence erase|hold|release`: what keepers of custody do. @module */
import { readFileSync, writeFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import type { JWK } from 'jose'
import { openOriginal } from '../evidence/custody/custody.ts'
import { discloseIn } from '../evidence/dossier/export.ts'
import { isZip } from '../evidence/dossier/zip.ts'
import { formatExported, parseExported } from '../evidence/export-format.ts'
import type { Side } from '../evidence/custody/store.ts'
import type { Config } from '../gateway/config.ts'
import { ADMIN_OPTION, callAdmin, streamAdmin } from './admin-client.ts'
import { CONFIG_OPTION, fail, type LoadConfig, parseRow } from './config.ts'
import { addRow, decryptBody, readRevealed, writeBody } from './original.ts'

interface Common {
  readonly config: string
  readonly admin?: string
}
interface RevealOptions extends Common {
  readonly key: string
  readonly reason: string
  readonly field?: readonly string[]
  readonly into?: string
  readonly body?: Side
  readonly out?: string
  readonly row?: number
}

/** Adds `reveal`. */
export function addReveal(program: Command, loadConfig: LoadConfig): void {
  program
    .command('reveal')
    .description('open fields of a record from custody; the act is sealed first')
    .argument('<rid>', 'record id (Evidence-Id)')
    .option(...CONFIG_OPTION)
    .option(...ADMIN_OPTION)
    .requiredOption('--key <file>', "the custodian's private key, a JWK; it stays here")
    .requiredOption('--reason <text>', 'why; sealed in clear')
    .option('--field <name...>', 'claims to open; without any, their names are listed')
    .option('--into <file>', 'add the disclosures to this exported record or dossier')
    .addOption(
      new Option('--body <side>', 'open a body that was too long for claims').choices([
        'request',
        'response',
      ]),
    )
    .option('--out <file>', 'write the body here, as it came')
    .option('--row <number>', 'show one of its rows, from 1, in the record of --into', parseRow)
    .action(async (rid: string, options: RevealOptions) => {
      const config = await loadConfig(options.config)
      const { body, ...rest } = options
      await (body === undefined ? reveal(rid, rest, config) : revealBody(rid, body, rest, config))
    })
}

async function revealBody(
  rid: string,
  side: Side,
  { admin, key, reason, out, row, into }: RevealOptions,
  config: Config,
): Promise<void> {
  const custodian = JSON.parse(readFileSync(key, 'utf8')) as JWK
  const asksForRow = row !== undefined && into !== undefined
  if (!asksForRow && out === undefined) fail('say where the body goes with --out, or which of its rows is wanted with --row and --into') // prettier-ignore
  const call = { record: rid, reason, side }
  const revealed = await readRevealed(await streamAdmin(config, 'reveal-body', call, admin))
  const opened = await Promise.all(revealed.texts.map((jwe) => openOriginal(jwe, custodian)))
  const body = decryptBody(revealed, opened, side)
  if (asksForRow) await addRow(config, body, opened, { side, row, into })
  else await writeBody(body, opened, side, out ?? '')
}

async function reveal(rid: string, options: RevealOptions, config: Config): Promise<void> {
  const { admin, key, reason, field: fields = [], into } = options
  const custodian = JSON.parse(readFileSync(key, 'utf8')) as JWK
  const call = { record: rid, reason, fields }
  const answer = await callAdmin(config, 'reveal', call, admin)
  const originals = await Promise.all(
    (answer['originals'] as string[]).map((jwe) => openOriginal(jwe, custodian)),
  )
  const claims = originals.flatMap(({ claims: named, disclosures }) =>
    named.map((claim, index) => ({ ...claim, disclosure: disclosures[index] ?? '' })),
  )
  if (fields.length === 0) {
    for (const { name } of claims) process.stdout.write(`${name}\n`)
    return
  }
  const opened = claims.filter(({ name }) => fields.includes(name))
  if (opened.length < fields.length) fail('the record has no such claim; leave out --field to see the names') // prettier-ignore
  for (const { name, json } of opened) process.stdout.write(`${name}: ${json}\n`)
  if (into === undefined) return
  const disclosures = opened.map(({ disclosure }) => disclosure)
  writeFileSync(into, addTo(readFileSync(into), rid, disclosures), { mode: 0o600 })
}

/** Adds disclosures to a dossier, or to the export of one record. */
function addTo(bytes: Buffer, rid: string, disclosures: readonly string[]): Uint8Array | string {
  if (isZip(bytes)) return discloseIn(bytes, rid, disclosures)
  const exported = parseExported(bytes.toString())
  return formatExported({
    ...exported,
    disclosures: [...exported.disclosures, ...disclosures],
  })
}

/** Adds `evidence erase`, `hold` and `release`. */
export function addKeeping(evidence: Command, loadConfig: LoadConfig): void {
  add('erase', 'destroy the originals of a record; the record itself stays', 'rule')
  add('hold', 'keep the originals of a record, whatever asks for their erasure', 'reason')
  add('release', 'end a hold', 'reason')

  function add(name: string, description: string, why: 'rule' | 'reason'): void {
    evidence
      .command(name)
      .description(description)
      .argument('<rid>', 'record id (Evidence-Id)')
      .option(...CONFIG_OPTION)
      .option(...ADMIN_OPTION)
      .requiredOption(`--${why} <text>`, 'why; sealed in clear')
      .action(async (rid: string, options: Common & { rule?: string; reason?: string }) => {
        const body = { record: rid, [why]: options[why] }
        const config = await loadConfig(options.config)
        const answer = await callAdmin(config, name, body, options.admin)
        if (name === 'erase') printErased(answer)
      })
  }
}

function printErased({ erased, held }: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${String(erased)} originals destroyed, ${String(held)} kept by a hold\n`)
  if (held !== 0) process.exitCode = 1
}

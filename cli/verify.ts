/** `sealgate verify FILE`: checks an exported record or a dossier offline. @module */
import type { Command } from 'commander'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Problem } from '../base/problem.ts'
import { sha256 } from '../evidence/crypto.ts'
import type { DossierCheck } from '../evidence/dossier/findings.ts'
import { DOSSIER_BYTES_MAX } from '../evidence/dossier/limits.ts'
import { createDossierVerifier } from '../evidence/dossier/verify.ts'
import { isZip, readZip } from '../evidence/dossier/zip.ts'
import { EXPORT_BYTES_MAX, parseExported } from '../evidence/export-format.ts'
import { readPem } from '../evidence/pem.ts'
import { verifyExported } from '../evidence/verify.ts'
import { parseTrust, type Trust } from '../evidence/verify-trust.ts'
import { fail } from './config.ts'

interface VerifyOptions {
  readonly trust?: string
  readonly revocation?: string
  readonly extract?: string
  readonly page?: string
  readonly json?: true
}

/** Exit codes of `verify`. */
const EXIT = { valid: 0, 'not-anchored': 1, invalid: 1, unusable: 2 } as const

/** Adds the command. Exit 0: valid; 1: not valid, or only by the file's own keys; 2: unusable. */
export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('check an exported record or a dossier offline')
    .argument('[file]', 'exported record (JSON) or dossier (zip)')
    .option('--trust <file>', 'root certificates and log keys that you trust')
    .option(
      '--revocation <file>',
      'revocation lists (PEM) that you fetched yourself; needs --trust',
    )
    .option('--extract <folder>', "write the dossier's files into this new folder")
    .option('--page <file>', 'write the page that verifies in a browser, without a network')
    .option('--json', 'print the result as JSON')
    .action(async (file: string | undefined, { page, ...options }: VerifyOptions) => {
      if (page !== undefined) await writePage(page)
      else if (file === undefined) fail('name a file to verify, or --page to write the page')
      if (file !== undefined) process.exitCode = await verifyFile(file, options)
    })
}

/** Its digest is printed: whoever gets the page can compare. */
async function writePage(file: string): Promise<void> {
  const { buildPage } = await import('../evidence/page/build.ts') // The bundler is loaded only here.
  const { html } = await buildPage()
  writeFileSync(file, html)
  process.stdout.write(`${sha256(html).toString('hex')}  ${file}\n`)
}

/** What both kinds of file come to. */
interface Result {
  readonly verdict: keyof typeof EXIT
  readonly checks: readonly DossierCheck[]
  readonly development: boolean
  /** What the verdict is about. */
  readonly about: string
}

async function verifyFile(file: string, options: VerifyOptions): Promise<number> {
  const { json, extract } = options
  try {
    const anchors = readAnchors(options)
    const bytes = readBounded(file, DOSSIER_BYTES_MAX)
    const zipped = file.endsWith('.zip') || isZip(bytes)
    const result = await (zipped ? verifyZip(bytes, anchors) : verifyRecord(bytes, anchors))
    const { about: _, ...printed } = result
    process.stdout.write(json ? `${JSON.stringify(printed, null, 2)}\n` : formatResult(result))
    if (extract !== undefined) extractTo(extract, bytes)
    return EXIT[result.verdict]
  } catch (error) {
    const detail = error instanceof Error ? error.message : 'unreadable'
    if (json) process.stdout.write(`${JSON.stringify({ verdict: 'unusable', detail })}\n`)
    else process.stderr.write(`${file}: ${detail}\n`)
    return EXIT.unusable
  }
}

async function verifyZip(bytes: Buffer, trust: Trust | undefined): Promise<Result> {
  const { records, ...result } = await createDossierVerifier(trust)(bytes)
  return { ...result, about: `dossier of ${records} ${records === 1 ? 'record' : 'records'}` }
}

async function verifyRecord(bytes: Buffer, trust: Trust | undefined): Promise<Result> {
  if (bytes.length > EXPORT_BYTES_MAX) tooLarge(bytes.length, EXPORT_BYTES_MAX)
  const { paths: _, ...result } = await verifyExported(parseExported(toText(bytes)), trust)
  return { ...result, about: `${result.kind ?? 'record'} ${result.rid ?? ''}`.trimEnd() }
}

/**
 * Writes a dossier's files. Their names cannot lead out of the folder (see zip.ts), and the folder
 * must be empty, so that nothing is overwritten and no link in it is followed.
 */
function extractTo(folder: string, bytes: Buffer): void {
  const files = readZip(bytes)
  mkdirSync(folder, { recursive: true })
  if (readdirSync(folder).length > 0) {
    throw new Problem('request-malformed', `\`${folder}\` is not empty`)
  }
  for (const [name, content] of files) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content, { mode: 0o600, flag: 'wx' })
  }
}

/** Lists are the reader's own, as anchors are: the evidence could leave out the one that matters. */
function readAnchors({ trust, revocation }: VerifyOptions): Trust | undefined {
  if (trust === undefined && revocation !== undefined) {
    throw new Problem('request-malformed', '`--revocation` needs `--trust`')
  }
  const read = (file: string) => toText(readBounded(file, EXPORT_BYTES_MAX))
  const anchors = trust === undefined ? undefined : parseTrust(read(trust))
  if (anchors === undefined || revocation === undefined) return anchors
  return { ...anchors, revocationLists: readPem(read(revocation), 'X509 CRL') }
}

function readBounded(file: string, bytesMax: number): Buffer {
  const { size } = statSync(file)
  if (size > bytesMax) tooLarge(size, bytesMax)
  return readFileSync(file)
}

function tooLarge(size: number, bytesMax: number): never {
  throw new Problem('request-malformed', `expected at most ${bytesMax} bytes, got ${size}`)
}

function toText(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}

const VERDICTS = {
  valid: 'VALID',
  'not-anchored': 'NOT ANCHORED: consistent, but only by keys that came with it; give --trust',
  invalid: 'NOT VALID',
  unusable: 'UNUSABLE',
} as const

function formatResult({ checks, verdict, development, about }: Result): string {
  const lines = checks.map(formatCheck)
  if (development)
    lines.push('! certificate: 非依法设立的电子认证服务提供者签发 (development authority)')
  lines.push(`${VERDICTS[verdict]} ${about}`)
  // Texts come from the file: no control character of it may reach a terminal.
  return `${lines.map((line) => line.replace(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, '�')).join('\n')}\n`
}

function formatCheck(check: DossierCheck): string {
  const { ok, absent, indeterminate, name, subject, text, disclosed } = check
  const title = subject === undefined ? name : `${name} ${subject}`
  const value = disclosed === undefined ? '' : `: ${disclosed.json}`
  if (indeterminate) return `? ${title}: INDETERMINATE: ${text}`
  return `${absent ? '–' : ok ? '✓' : '✗'} ${title}: ${text}${value}`
}

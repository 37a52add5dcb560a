/** `sealgate verify FILE`: checks one exported record offline. @module */
import type { Command } from 'commander'
import { readFileSync, statSync } from 'node:fs'
import { Problem } from '../base/problem.ts'
import { EXPORT_BYTES_MAX, parseExported } from '../evidence/export-format.ts'
import { type Verification, verifyExported } from '../evidence/verify.ts'
import { readPem } from '../evidence/pem.ts'
import { parseTrust, type Trust } from '../evidence/verify-trust.ts'

interface VerifyOptions {
  readonly trust?: string
  readonly revocation?: string
  readonly json?: true
}

/** Exit codes of `verify`. */
const EXIT = { valid: 0, 'not-anchored': 1, invalid: 1, unusable: 2 } as const

/** Adds the command. Exit 0: valid; 1: not valid, or only by the file's own keys; 2: unusable. */
export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('check an exported record offline')
    .argument('<file>', 'exported record')
    .option('--trust <file>', 'root certificates and log keys that you trust')
    .option('--revocation <file>', 'revocation lists (PEM) of the seal certificates; needs --trust')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: VerifyOptions) => {
      process.exitCode = await verifyFile(file, options)
    })
}

async function verifyFile(file: string, { json, ...options }: VerifyOptions): Promise<number> {
  try {
    const result = await verifyExported(parseExported(readBounded(file)), readAnchors(options))
    process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : formatResult(result))
    return EXIT[result.verdict]
  } catch (error) {
    const detail = error instanceof Error ? error.message : 'unreadable'
    if (json) process.stdout.write(`${JSON.stringify({ verdict: 'unusable', detail })}\n`)
    else process.stderr.write(`${file}: ${detail}\n`)
    return EXIT.unusable
  }
}

/** Lists are the reader's own, as anchors are: the evidence could leave out the one that matters. */
function readAnchors({ trust, revocation }: Omit<VerifyOptions, 'json'>): Trust | undefined {
  if (trust === undefined && revocation !== undefined) {
    throw new Problem('request-malformed', '`--revocation` needs `--trust`')
  }
  const anchors = trust === undefined ? undefined : parseTrust(readBounded(trust))
  if (anchors === undefined || revocation === undefined) return anchors
  return { ...anchors, revocationLists: readPem(readBounded(revocation), 'X509 CRL') }
}

function readBounded(file: string): string {
  const { size } = statSync(file)
  if (size > EXPORT_BYTES_MAX) {
    throw new Problem(
      'request-malformed',
      `expected at most ${EXPORT_BYTES_MAX} bytes, got ${size}`,
    )
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
}

const VERDICTS = {
  valid: 'VALID',
  'not-anchored': 'NOT ANCHORED: consistent, but only by keys that came with it; give --trust',
  invalid: 'NOT VALID',
} as const

function formatResult({ checks, verdict, rid, kind, development }: Verification): string {
  const lines = checks.map(({ ok, absent, indeterminate, name, text, disclosed }) => {
    const value = disclosed === undefined ? '' : `: ${disclosed.json}`
    if (indeterminate) return `? ${name}: INDETERMINATE: ${text}`
    return `${absent ? '–' : ok ? '✓' : '✗'} ${name}: ${text}${value}`
  })
  if (development)
    lines.push('! certificate: 非依法设立的电子认证服务提供者签发 (development authority)')
  lines.push(`${VERDICTS[verdict]} ${kind ?? 'record'} ${rid ?? ''}`.trimEnd())
  // Texts come from the file: no control character of it may reach a terminal.
  return `${lines.map((line) => line.replace(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, '�')).join('\n')}\n`
}

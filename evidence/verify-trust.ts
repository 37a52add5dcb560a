/** Trust anchors of a verification: whom the reader believes before reading the evidence. @module */
import { Problem } from '../base/problem.ts'
import {
  LOG_KEYS_MAX,
  parseStrictJson,
  readText,
  readTexts,
  refuseUnknown,
} from './export-format.ts'
import { parseVerifier, type Verifier } from './log/note.ts'
import { parsePolicy, type WitnessPolicy } from './log/policy.ts'
import { readPem, toPem } from './pem.ts'

/** Root certificates in one trust file. */
const ROOTS_MAX = 16

/** What a trust file holds. It MUST reach the verifier by another way than the evidence. */
export interface Trust {
  /** Root certificates, DER. */
  readonly roots: readonly Uint8Array[]
  /** The logs' verifier keys. */
  readonly logKeys: readonly Verifier[]
  /** Whose cosignatures a checkpoint needs (c2sp.org/tlog-policy); none when absent. */
  readonly policy?: WitnessPolicy
}

/**
 * Reads `{ "roots": [PEM…], "logKeys": ["<name>+<id>+<key>"…], "policy"?: "<tlog-policy text>" }`.
 *
 * @throws {Problem} `request-malformed`.
 */
export function parseTrust(text: string): Trust {
  const value = parseStrictJson(text)
  refuseUnknown(value, ['roots', 'logKeys', 'policy'])
  const roots = readTexts(value, 'roots', ROOTS_MAX).flatMap((pem) => readPem(pem))
  const logKeys = readTexts(value, 'logKeys', LOG_KEYS_MAX).map(parseVerifier)
  if (roots.length === 0 || logKeys.length === 0) {
    throw new Problem('request-malformed', 'expected at least one root certificate and one log key')
  }
  if (value['policy'] === undefined) return { roots, logKeys }
  return { roots, logKeys, policy: parsePolicy(readText(value, 'policy')) }
}

/** Writes a trust file; `policy` is the text of a witness policy. */
export function formatTrust({ roots, logKeys }: Omit<Trust, 'policy'>, policy?: string): string {
  const pems = roots.map((der) => toPem('CERTIFICATE', der))
  const value = { roots: pems, logKeys: logKeys.map((key) => key.text), policy }
  return `${JSON.stringify(value, null, 2)}\n`
}

/** Trust anchors of a verification: whom the reader believes before reading the evidence. @module */
import { Problem } from '../base/problem.ts'
import {
  LOG_KEYS_MAX,
  parseStrictJson,
  readText,
  readTexts,
  refuseUnknown,
  type Untyped,
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
  /** Root certificates of time stamping authorities, DER; `roots` when absent. */
  readonly timestampRoots?: readonly Uint8Array[]
  /** Revocation lists of the seal certificates' issuers, DER; not looked at when absent. */
  readonly revocationLists?: readonly Uint8Array[]
  /** Whose cosignatures a checkpoint needs (c2sp.org/tlog-policy); none when absent. */
  readonly policy?: WitnessPolicy
}

/**
 * Reads `{ "roots": [PEM…], "logKeys": ["<name>+<id>+<key>"…], "timestampRoots"?: [PEM…], "policy"?: "<tlog-policy text>" }`.
 *
 * @throws {Problem} `request-malformed`.
 */
export function parseTrust(text: string): Trust {
  const value = parseStrictJson(text)
  refuseUnknown(value, ['roots', 'logKeys', 'timestampRoots', 'policy'])
  const roots = readPems(value, 'roots')
  const logKeys = readTexts(value, 'logKeys', LOG_KEYS_MAX).map(parseVerifier)
  if (roots.length === 0 || logKeys.length === 0) {
    throw new Problem('request-malformed', 'expected at least one root certificate and one log key')
  }
  return {
    roots,
    logKeys,
    ...(value['timestampRoots'] === undefined
      ? {}
      : { timestampRoots: readPems(value, 'timestampRoots') }),
    ...(value['policy'] === undefined ? {} : { policy: parsePolicy(readText(value, 'policy')) }),
  }
}

/** Writes a trust file; `policy` is the text of a witness policy. */
export function formatTrust(
  { roots, logKeys, timestampRoots }: Omit<Trust, 'policy'>,
  policy?: string,
): string {
  const value = {
    roots: roots.map(toCertificatePem),
    logKeys: logKeys.map((key) => key.text),
    timestampRoots: timestampRoots?.map(toCertificatePem),
    policy,
  }
  return `${JSON.stringify(value, null, 2)}\n`
}

function readPems(value: Untyped, name: string): Uint8Array[] {
  return readTexts(value, name, ROOTS_MAX).flatMap((pem) => readPem(pem))
}

function toCertificatePem(der: Uint8Array): string {
  return toPem('CERTIFICATE', der)
}

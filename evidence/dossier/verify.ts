/** Verifies a dossier offline: each record as if it stood alone, and what only all of it can show. Portable. @module */
import { createExportVerifier, type Verdict } from '../verify.ts'
import type { Trust } from '../verify-trust.ts'
import { assemble, makeSums } from './assemble.ts'
import { readStatement, type Statement } from './catalogue.ts'
import { createFindings, type DossierCheck, explain, type Findings } from './findings.ts'
import { DOSSIER_RECORDS_MAX } from './limits.ts'
import { DERIVED, type Parts, readParts } from './parts.ts'
import { createExtras } from './verify-extras.ts'
import { checkLog } from './verify-log.ts'
import { checkOrder } from './verify-order.ts'
import { checkRecords } from './verify-records.ts'
import { type Files, readZip } from './zip.ts'

/** What came out. `unusable`: this is no dossier at all. */
export interface DossierVerification {
  readonly verdict: Verdict | 'unusable'
  readonly checks: readonly DossierCheck[]
  /** How many records it holds. */
  readonly records: number
  /** A development authority stands in a certificate path. */
  readonly development: boolean
}

/** Verifies dossiers, one after the other, against the same anchors. Never throws on a hostile file. */
export type DossierVerifier = (zip: Uint8Array) => Promise<DossierVerification>

/**
 * Makes a verifier that runs every check that can be run; a failed one does not stop the others. It
 * remembers what was good, so that the same signature is not verified twice.
 *
 * @param trust the reader's anchors; undefined uses the dossier's own, and says `not-anchored`.
 * @param nowMs when renewed time stamps must still be trustworthy.
 */
export function createDossierVerifier(
  trust: Trust | undefined,
  nowMs: () => number = Date.now,
): DossierVerifier {
  const check = createPartsCheck(trust, nowMs)
  return async (zip) => {
    const findings = createFindings()
    let files: Files
    try {
      files = readZip(zip)
    } catch (error) {
      findings.fail('container', explain(error))
      return { verdict: 'unusable', checks: findings.checks, records: 0, development: false }
    }
    findings.pass('container', `the zip of ${files.size} files is the only one that they make`)
    const { parts, misfits } = readParts(files)
    checkSums(files, findings)
    for (const { name, why } of misfits) findings.fail('files', why, name)
    if (misfits.length === 0) findings.pass('files', 'each has its place and its only spelling')
    const statement = checkDerived(files, parts, findings)
    const development = await check(parts, findings, statement?.complete ?? false)
    checkCoverage(files, findings)
    return conclude(findings, trust, parts, development)
  }
}

/** Checks parts, whatever files they stand in. @returns whether a development authority is in them. */
export type PartsCheck = (parts: Parts, findings: Findings, complete: boolean) => Promise<boolean>

/** Makes the check behind a verifier: see `createDossierVerifier`. */
export function createPartsCheck(trust: Trust | undefined, nowMs: () => number): PartsCheck {
  const verifyRecord = createExportVerifier(trust)
  const extras = createExtras(trust, nowMs)
  return async (parts, findings, complete) => {
    const count = parts.records.length
    if (count === 0) findings.fail('files', 'there is no record in it')
    if (count > DOSSIER_RECORDS_MAX) {
      findings.fail('files', `${count} records, more than ${DOSSIER_RECORDS_MAX}`)
      return false
    }
    const { development, paths } = await checkRecords(parts, findings, verifyRecord)
    checkLog(parts, findings, trust)
    const more = await extras.check(parts, findings, paths)
    checkOrder(parts, findings, complete)
    return development || more.development
  }
}

function conclude(
  { checks }: Findings,
  trust: Trust | undefined,
  parts: Parts,
  development: boolean,
): DossierVerification {
  const good = checks.every(({ ok }) => ok)
  const verdict = good ? (trust === undefined ? 'not-anchored' : 'valid') : 'invalid'
  return { verdict, checks, records: parts.records.length, development }
}

/** Finds what changed since the export, when nobody meant it. */
function checkSums(files: Files, findings: Findings): void {
  const sums = new TextEncoder().encode(makeSums(files))
  if (sameBytes(files.get('SHA256SUMS'), sums)) {
    findings.pass('sums', 'each file has the SHA-256 that SHA256SUMS gives')
  } else findings.fail('sums', 'a file has another SHA-256, or none', 'SHA256SUMS')
}

/** The derived files are made anew: no word of the catalogue or of VERIFY.md is believed. */
function checkDerived(files: Files, parts: Parts, findings: Findings): Statement | undefined {
  let statement: Statement
  let expected: Files
  try {
    const catalogue = files.get('catalogue.json') ?? new Uint8Array()
    statement = readStatement(new TextDecoder('utf-8', { fatal: true }).decode(catalogue))
    expected = assemble(parts, statement)
  } catch (error) {
    findings.fail('catalogue', explain(error), 'catalogue.json')
    return undefined
  }
  const wrong = DERIVED.filter((name) => !sameBytes(files.get(name), expected.get(name)))
  for (const name of wrong) findings.fail('catalogue', 'it does not fit the other files', name)
  if (wrong.length === 0) findings.pass('catalogue', `${DERIVED.join(', ')} fit the other files`)
  return statement
}

/** What no check looks at could say anything. */
function checkCoverage(files: Files, { covered, ...findings }: Findings): void {
  const left = [...files.keys()].filter((name) => !covered.has(name) && !isDerived(name))
  for (const name of left) findings.fail('coverage', 'no check covers this file', name)
  if (left.length === 0) findings.pass('coverage', 'each file is covered by a check')
}

function isDerived(name: string): boolean {
  return DERIVED.some((each) => each === name)
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.from(a).equals(b)
}

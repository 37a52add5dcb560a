/** What a verification of a dossier tells: checks, and which files they covered. Portable. @module */
import { Problem } from '../../base/problem.ts'
import type { Check, CheckName } from '../verify.ts'

/** The checks of a dossier, besides those of each record. Public: reports and scripts name them. */
export type DossierCheckName =
  | CheckName
  | 'container'
  | 'sums'
  | 'files'
  | 'catalogue'
  | 'consistency'
  | 'renewal'
  | 'revocation'
  | 'policy'
  | 'order'
  | 'coverage'

/** One comparison. `subject` is the record or the file that it is about; the dossier when absent. */
export interface DossierCheck extends Omit<Check, 'name'> {
  readonly name: DossierCheckName
  readonly subject?: string
}

/** Collects checks, and the names of the files that they looked at. */
export interface Findings {
  readonly checks: DossierCheck[]
  readonly covered: Set<string>
  pass(name: DossierCheckName, text: string, subject?: string): void
  fail(name: DossierCheckName, text: string, subject?: string): void
  /** There was nothing to compare. */
  absent(name: DossierCheckName, text: string, subject?: string): void
}

/** Makes an empty collection. */
export function createFindings(): Findings {
  const checks: DossierCheck[] = []
  const add = (outcome: Pick<Check, 'ok' | 'absent'>) => {
    return (name: DossierCheckName, text: string, subject?: string) => {
      checks.push({ name, ...outcome, text, ...(subject === undefined ? {} : { subject }) })
    }
  }
  return {
    checks,
    covered: new Set(),
    pass: add({ ok: true }),
    fail: add({ ok: false }),
    absent: add({ ok: true, absent: true }),
  }
}

/** A text that holds nothing of the file but what a Problem says. */
export function explain(error: unknown): string {
  return error instanceof Problem ? error.message : 'it cannot be read'
}

/** The built-in dictionary, loaded once for the tests of this folder. @module */
import { readFileSync } from 'node:fs'
import { createReport, renderDiagnostic } from '../../base/diagnostic.ts'
import { parseKinds } from '../../gateway/guard/kinds.ts'
import type { Kinds } from '../../gateway/guard/kinds.ts'

const FILE = new URL('../../policies/kinds.yaml', import.meta.url)

/** @throws {Error} with all diagnostics when the dictionary does not parse. */
export function loadDictionary(): Kinds {
  const report = createReport()
  const kinds = parseKinds(report, 'policies/kinds.yaml', readFileSync(FILE, 'utf8'))
  if (kinds === undefined) throw new Error(report.diagnostics.map(renderDiagnostic).join('\n'))
  return kinds
}

/** The kinds dictionary of an installation. @module */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from '../../base/diagnostic.ts'
import { readText } from '../config-files.ts'
import { type Kinds, parseKinds } from '../guard/kinds.ts'
import { numbered } from './mistakes.ts'

/** Reads `kinds.yaml` beside the policies; nothing when the folder has none or `report` gained an error. */
export function loadKinds(folder: string, whole: Report): Kinds | undefined {
  const report = numbered(whole, 'P012')
  const file = join(folder, 'kinds.yaml')
  if (!existsSync(file)) return undefined
  const text = readText(file, { file, line: 1, column: 1 }, report, 'the kinds dictionary')
  return text === undefined ? undefined : parseKinds(report, file, text)
}

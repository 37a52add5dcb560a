/** The policy files of a folder, or of a list of files and folders. @module */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from '../../base/diagnostic.ts'
import { readText } from '../config-files.ts'
import { POLICY_FILES_MAX } from './limits.ts'
import { numbered } from './mistakes.ts'

/** A policy file's name, as messages give it, and its text. */
export interface PolicyFile {
  readonly file: string
  readonly text: string
}

/** The dictionary of kinds lies beside the policies and is not one. */
const NOT_A_POLICY = new Set(['kinds.yaml'])

/**
 * Reads every `*.yaml` and `*.yml` of the paths, sorted by name; complaints go to `report`.
 *
 * @param which whether the dictionary of kinds is among them.
 */
export function readPolicyFiles(
  paths: readonly string[],
  whole: Report,
  which: 'policies' | 'with-kinds' = 'policies',
): readonly PolicyFile[] {
  const report = numbered(whole, 'P011')
  const found: PolicyFile[] = []
  for (const path of paths) {
    const at = { file: path, line: 1, column: 1 }
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    const files = isFolder ? listPolicies(path, which) : [path]
    if (files.length === 0) {
      report.error(at, 'the folder holds no policy', 'policy files end in `.yaml`')
    } else if (files.length > POLICY_FILES_MAX) {
      report.error(at, 'the folder holds too many policies', `at most ${POLICY_FILES_MAX}`)
      continue
    }
    for (const file of files) {
      const text = readText(file, { ...at, file }, report, 'the policy')
      if (text !== undefined) found.push({ file, text })
    }
  }
  return found
}

function listPolicies(folder: string, which: 'policies' | 'with-kinds'): string[] {
  return readdirSync(folder)
    .filter((name) => /^[^.].*\.ya?ml$/.test(name))
    .filter((name) => which === 'with-kinds' || !NOT_A_POLICY.has(name))
    .toSorted()
    .map((name) => join(folder, name))
}

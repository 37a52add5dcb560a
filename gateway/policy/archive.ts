/** Keeps every policy version that was ever in force, and seals when it came into force. @module */
import type { Report } from '../../base/diagnostic.ts'
import type { JsonObject } from '../../evidence/draft.ts'
import { savePolicy } from '../../evidence/policy-archive.ts'
import type { RecordKind } from '../../evidence/record.ts'
import type { Policy } from './policy.ts'
import type { Registry } from './registry.ts'

/** What a dossier's policies come from. */
export interface PolicyArchive {
  /**
   * Keeps the files of all active versions, before any of them decides anything.
   *
   * @returns whether they are on disk; `report` says why not.
   */
  keep(registry: Registry, report: Report): boolean
  /** Seals what was kept since, and from now on what is kept anew. */
  sealBy(note: (kind: RecordKind, facts: JsonObject) => Promise<string>): void
}

/** @param alarm hears that a `policy` record could not be sealed; the file is kept all the same. */
export function createPolicyArchive(
  folder: string,
  alarm: (message: string, error: unknown) => void,
): PolicyArchive {
  const fresh: Policy[] = []
  let seal: (policy: Policy) => void = (policy) => fresh.push(policy)
  return {
    keep: ({ active }, report) => {
      for (const { policy } of active) {
        const { file, text } = policy.source
        try {
          if (savePolicy(folder, text)) seal(policy)
        } catch (error) {
          const why = error instanceof Error ? error.message : 'unknown'
          const help = `make room and rights in \`${folder}\``
          report.error({ file, line: 1, column: 1 }, `the policy cannot be kept: ${why}`, help)
          return false
        }
      }
      return true
    },
    sealBy: (note) => {
      seal = ({ id, version, digest, mode }) => {
        note('policy', { policy: { id, version, digest }, mode }).catch((error: unknown) =>
          alarm(`that policy ${id}@${version} is in force could not be sealed`, error),
        )
      }
      fresh.splice(0).forEach(seal)
    },
  }
}

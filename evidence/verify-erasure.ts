/** What became of a record's originals: destroyed under a rule, as a record of its own tells. @module */
import { Problem } from '../base/problem.ts'
import type { ExportedRecord } from './export-format.ts'
import { readRecord } from './seal.ts'

/** What a payload of kind `erase` says of one record; undefined when it is silent about it. */
export function erasureOf(
  payload: Readonly<Record<string, unknown>>,
  rid: string,
): { readonly rule: string } | undefined {
  const { kind, rule, destroyed } = payload
  if (kind !== 'erase' || typeof rule !== 'string' || !Array.isArray(destroyed)) return undefined
  const names = (item: unknown) => (item as { record?: unknown } | null)?.record === rid
  return destroyed.some(names) ? { rule } : undefined
}

/** The records that a payload of kind `erase` says something of; none for every other payload. */
export function erasedRecords(payload: Readonly<Record<string, unknown>>): string[] {
  const { kind, destroyed } = payload
  if (kind !== 'erase' || !Array.isArray(destroyed)) return []
  const names = destroyed.map((item) => (item as { record?: unknown } | null)?.record)
  return [...new Set(names.filter((name) => typeof name === 'string'))]
}

/**
 * Tells of an erasure.
 *
 * @param good whether the exported `erase` record is itself good.
 * @throws {Problem} `request-malformed` when it is not, or says nothing of this record.
 */
export function explainErasure(exported: ExportedRecord, rid: string, good: boolean): string {
  const { payload } = readRecord(exported.record)
  const erasure = erasureOf(payload, rid)
  if (erasure === undefined) {
    throw new Problem('request-malformed', 'an erasure that says nothing of this record')
  }
  if (!good) throw new Problem('request-malformed', `the erasure ${payload.rid} is not good itself`)
  const by = `under rule \`${erasure.rule}\` by record ${payload.rid}`
  return `the originals were erased ${by}; what they committed to cannot be opened any more`
}

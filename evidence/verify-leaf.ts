/** The leaf check of a verification: the log's leaf names this record and its digests. @module */
import { sm3 } from './crypto.ts'
import type { ExportedRecord } from './export-format.ts'
import { parseLeaf } from './log/entry.ts'
import { type readRecord, recordDigest } from './seal.ts'

/** Whether it does, and what was compared; one line. */
export function checkLeaf(
  exported: Pick<ExportedRecord, 'leaf' | 'record'>,
  { payload }: ReturnType<typeof readRecord>,
): { readonly ok: boolean; readonly text: string } {
  const fail = (text: string) => ({ ok: false, text })
  const leaf = parseLeaf(exported.leaf)
  const digest = recordDigest(exported.record)
  if (leaf === undefined) return fail('the leaf is not one `evr/1` line')
  if (leaf.rid !== payload.rid || leaf.kind !== payload.kind) {
    return fail(
      `the leaf names ${leaf.kind} ${leaf.rid}, the record ${payload.kind} ${payload.rid}`,
    )
  }
  if (leaf.digest !== digest) {
    return fail(`the leaf has digest ${leaf.digest}, the record ${digest}`)
  }
  const named = "the log's leaf names this record"
  if (leaf.sm3 === undefined) return { ok: true, text: `${named} and its digest ${digest}` }
  const other = sm3(Buffer.from(exported.record)).toString('base64url')
  if (leaf.sm3 !== other) return fail(`the leaf has SM3 digest ${leaf.sm3}, the record ${other}`)
  return { ok: true, text: `${named}, its digest ${digest} and its SM3 digest ${other}` }
}

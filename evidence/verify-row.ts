/** The check of one opened row, as a report tells it. @module */
import { type OpenedRow, verifyRow } from './rows/opened.ts'

/** What was compared, and the row when it is one of the record's. */
export interface RowFinding {
  readonly ok: boolean
  readonly text: string
  readonly disclosed?: { readonly name: string; readonly json: string }
}

/** Checks a row against the payload of its record. */
export function rowFinding(payload: object, row: OpenedRow): RowFinding {
  const bytes = verifyRow(payload as Readonly<Record<string, unknown>>, row)
  const text = `row ${row.index + 1} of \`${row.tree}\``
  if (bytes === undefined) {
    return { ok: false, text: `${text}: its way does not lead to the record's root` }
  }
  return {
    ok: true,
    text: `${text} is one of the rows that the record commits to`,
    disclosed: { name: `${row.tree}[${row.index}]`, json: JSON.stringify(textOf(bytes)) },
  }
}

/** A row in another character set than UTF-8 is shown as what its bytes are. */
function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return `base64:${bytes.toString('base64')}`
  }
}

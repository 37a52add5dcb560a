/** Cuts a body into the rows that evidence counts, byte by byte, without any policy. @module */
import { type BodyDialect, CSV_DEFAULT } from '../policy/body.ts'

/** How rows are told apart. */
export interface RowForm {
  /** Whether a line break inside quotation marks belongs to the row (RFC 4180 §2.6). */
  readonly quoted: boolean
  /** Whether a line may end with CR LF: in NDJSON a CR is part of the row. */
  readonly crlf: boolean
  /** Whether an empty line is a row. In NDJSON one is left where every row was dropped. */
  readonly empty: boolean
  /** Records before and behind the rows: names, head, trailer. */
  readonly before: number
  readonly after: number
}

/** The form of a body's rows. @param dialect of the policy that decided it. */
export function rowFormOf(mediaType: string, dialect: BodyDialect | undefined): RowForm {
  if (dialect?.format !== 'csv' && mediaType !== 'text/csv') {
    return { quoted: false, crlf: false, empty: false, before: 0, after: 0 }
  }
  const { quote, head, columns, trailer } = dialect?.csv ?? CSV_DEFAULT
  return {
    quoted: quote === 'double',
    crlf: true,
    empty: true,
    before: (head === undefined ? 0 : 1) + (columns === undefined ? 1 : 0),
    after: trailer === undefined ? 0 : 1,
  }
}

const LINE_FEED = 0x0a
const RETURN = 0x0d
const QUOTE = 0x22

/**
 * Gives the rows of a body. In GBK and GB 18030 no byte of a longer character is a line break or a
 * quotation mark, so that any character set is cut alike.
 */
export async function* rowsOf(
  source: AsyncIterable<Buffer>,
  form: RowForm,
): AsyncGenerator<Buffer> {
  const held: Buffer[] = []
  let count = 0
  for await (const record of recordsOf(source, form)) {
    if (count++ < form.before || (record.length === 0 && !form.empty)) continue
    held.push(record)
    if (held.length > form.after) yield held.shift() as Buffer
  }
}

async function* recordsOf(
  source: AsyncIterable<Buffer>,
  { quoted, crlf }: RowForm,
): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  let at = 0
  let inside = false
  const cut = (end: number): Buffer => {
    const record = rest.subarray(0, crlf && rest[end - 1] === RETURN ? end - 1 : end)
    rest = rest.subarray(end + 1)
    at = 0
    return record
  }
  for await (const chunk of source) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (; at < rest.length; at++) {
      const byte = rest[at]
      if (quoted && byte === QUOTE) inside = !inside
      else if (byte === LINE_FEED && !inside) {
        yield cut(at)
        at = -1
      }
    }
  }
  if (rest.length > 0) yield cut(rest.length)
}

/** The guard's view of a long body: part by part, none of which hides what the next one would show. @module */
import { type BodyDialect, CSV_DEFAULT } from '../policy/body.ts'
import { type BodyFormat, formatType } from '../transform/format.ts'
import type { Before } from '../guard/guard.ts'
import { createContext } from './context.ts'

/** Looks at a part of a body. @throws {Problem} `leak-detected` */
export type BodyGuard = (bytes: Buffer, part: BodyPart) => void

/** What is known of a part. */
export interface BodyPart {
  /** What of the body was seen before. */
  readonly before: () => Before
  readonly dialect?: BodyDialect
}

/** What is known of a body on the way. */
export interface BodyOnWay {
  /** The columns of its table, once they are known. */
  readonly columns: () => readonly string[] | undefined
  /** Rows that stand before the part that was given out last. */
  readonly rowsBefore: () => number
}

/** A body on its way past the guard. */
export interface Windows {
  /** @returns what the guard has seen with all that stands around it. */
  write(bytes: Buffer): Buffer
  /** The same for the last part. */
  end(bytes: Buffer): Buffer
}

/** Text that the guard sees again with what follows; longer than anything that a detector finds. */
const OVERLAP_BYTES = 4_096

/** Starts the inspection of one body. */
export function startWindows(format: BodyFormat, guard: BodyGuard, body: BodyOnWay): Windows {
  let seen = 0
  const inspect: Inspect = (bytes, again, dialect) => {
    const bytesBefore = seen - again
    seen += bytes.length - again
    if (bytes.length === 0) return
    const before = () => ({ bytes: bytesBefore, rows: body.rowsBefore() })
    guard(bytes, dialect === undefined ? { before } : { before, dialect })
  }
  if (format.name === 'csv') return tableWindows(format, inspect, body.columns)
  // Its rows, or pairs, are given out whole, and nothing personal goes over two of them.
  if (formatType(format).rows !== undefined || format.name === 'form') {
    const look = (bytes: Buffer): Buffer => {
      inspect(bytes, 0)
      return bytes
    }
    return { write: look, end: look }
  }
  return format.name === 'json' ? jsonWindows(inspect) : textWindows(inspect)
}

/** Looks at a part. @param again how many of its bytes are shown again, or stand nowhere in the body. */
type Inspect = (bytes: Buffer, again: number, dialect?: BodyDialect) => void

/** Records are given out whole; what their columns are called stands in an earlier part. */
function tableWindows(
  { dialect }: BodyFormat,
  inspect: Inspect,
  columns: () => readonly string[] | undefined,
): Windows {
  const { head, trailer, ...csv } = dialect?.csv ?? CSV_DEFAULT
  let begun = false
  let named = csv.columns !== undefined
  const look = (bytes: Buffer, last: boolean): Buffer => {
    if (bytes.length === 0) return bytes
    const names = columns()
    // The row of names is in this part when they are known now and were not before.
    const known = named ? { columns: names ?? [] } : names === undefined ? { columns: [] } : {}
    inspect(bytes, 0, {
      format: 'csv',
      csv: {
        delimiter: csv.delimiter,
        quote: csv.quote,
        ...known,
        ...(begun || head === undefined ? {} : { head }),
        ...(last && trailer !== undefined ? { trailer } : {}),
      },
    })
    begun = true
    named ||= names !== undefined
    return bytes
  }
  return { write: (bytes) => look(bytes, false), end: (bytes) => look(bytes, true) }
}

/** JSON is given out value by value; what is open around a value tells what it means. */
function jsonWindows(inspect: Inspect): Windows {
  const context = createContext()
  const look = (bytes: Buffer): Buffer => {
    if (bytes.length === 0) return bytes
    const opening = context.opening()
    inspect(Buffer.concat([opening, bytes]), opening.length)
    context.read(bytes)
    return bytes
  }
  return { write: look, end: look }
}

/** Other text may be cut anywhere: its last bytes wait for what follows. */
function textWindows(inspect: Inspect): Windows {
  let seen = Buffer.alloc(0)
  let waiting = 0
  const look = (bytes: Buffer): Buffer => {
    const window = Buffer.concat([seen, bytes])
    inspect(window, seen.length)
    return window
  }
  return {
    write: (bytes) => {
      const window = look(bytes)
      const ready = Math.max(0, waiting + bytes.length - OVERLAP_BYTES)
      const start = window.length - waiting - bytes.length
      waiting += bytes.length - ready
      // As much again is kept of what has left, so that no value loses its beginning.
      seen = Buffer.from(window.subarray(Math.max(0, start + ready - OVERLAP_BYTES)))
      return window.subarray(start, start + ready)
    },
    end: (bytes) => {
      const window = look(bytes)
      return window.subarray(window.length - waiting - bytes.length)
    },
  }
}

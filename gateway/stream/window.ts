/** The guard's view of a long body: part by part, none of which hides what the next one would show. @module */
import { type BodyDialect, CSV_DEFAULT } from '../policy/body.ts'
import { type BodyFormat, formatType } from '../transform/format.ts'
import { createContext } from './context.ts'

/** Looks at a part of a body. @throws {Problem} `leak-detected` */
export type BodyGuard = (bytes: Buffer, dialect?: BodyDialect) => void

/** A body on its way past the guard. */
export interface Windows {
  /** @returns what the guard has seen with all that stands around it. */
  write(bytes: Buffer): Buffer
  /** The same for the last part. */
  end(bytes: Buffer): Buffer
}

/** Text that the guard sees again with what follows; longer than anything that a detector finds. */
const OVERLAP_BYTES = 4_096

/** Starts the inspection of one body. `columns` are those of its table, once they are known. */
export function startWindows(
  format: BodyFormat,
  guard: BodyGuard,
  columns: () => readonly string[] | undefined,
): Windows {
  const look = (bytes: Buffer): Buffer => {
    if (bytes.length > 0) guard(bytes)
    return bytes
  }
  if (format.name === 'csv') return tableWindows(format, guard, columns)
  // Its rows, or pairs, are given out whole, and nothing personal goes over two of them.
  if (formatType(format).rows !== undefined || format.name === 'form') {
    return { write: look, end: look }
  }
  if (format.name === 'json') return jsonWindows(guard)
  return textWindows(look)
}

/** Records are given out whole; what their columns are called stands in an earlier part. */
function tableWindows(
  { dialect }: BodyFormat,
  guard: BodyGuard,
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
    guard(bytes, {
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
function jsonWindows(guard: BodyGuard): Windows {
  const context = createContext()
  const look = (bytes: Buffer): Buffer => {
    if (bytes.length === 0) return bytes
    guard(Buffer.concat([context.opening(), bytes]))
    context.read(bytes)
    return bytes
  }
  return { write: look, end: look }
}

/** Other text may be cut anywhere: its last bytes wait for what follows. */
function textWindows(look: (bytes: Buffer) => Buffer): Windows {
  let seen = Buffer.alloc(0)
  let waiting = 0
  return {
    write: (bytes) => {
      const window = look(Buffer.concat([seen, bytes]))
      const ready = Math.max(0, waiting + bytes.length - OVERLAP_BYTES)
      const start = window.length - waiting - bytes.length
      waiting += bytes.length - ready
      // As much again is kept of what has left, so that no value loses its beginning.
      seen = Buffer.from(window.subarray(Math.max(0, start + ready - OVERLAP_BYTES)))
      return window.subarray(start, start + ready)
    },
    end: (bytes) => {
      const window = look(Buffer.concat([seen, bytes]))
      return window.subarray(window.length - waiting - bytes.length)
    },
  }
}

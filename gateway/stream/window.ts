/** The guard's view of a long body: part by part, none of which hides what the next one would show. @module */
import { type BodyFormat, formatType } from '../transform/format.ts'
import { createContext } from './context.ts'

/** Looks at a part of a body. @throws {Problem} `leak-detected` */
export type BodyGuard = (bytes: Buffer) => void

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
export function startWindows(format: BodyFormat, guard: BodyGuard): Windows {
  const look = (bytes: Buffer): Buffer => {
    if (bytes.length > 0) guard(bytes)
    return bytes
  }
  // Its rows are given out whole, and nothing personal goes over two of them.
  if (formatType(format).rows !== undefined) return { write: look, end: look }
  if (format.name === 'json') return jsonWindows(guard)
  return textWindows(look)
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

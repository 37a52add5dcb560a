/**
 * Where sealed records wait for the log: as bytes outside the heap, which the log's thread reads where
 * they stand. As objects they would outlive two collections each, move to the old generation, and be most
 * of what fills it. @module
 */
import { SHELF_BYTES, SHELVES_SPARE_MAX } from './limits.ts'
import type { Persist, SealedRecord } from './record.ts'

/** Where a record stands; all of it may go to another thread, for which the bytes are the same. */
export interface Shelved {
  readonly board: Board
  /** The JWS, in ASCII, is from `start` to `middle`; then comes the JSON of the rest, up to `end`. */
  readonly start: number
  readonly middle: number
  readonly end: number
}

/** A stretch of memory that is filled once, and again when all that stands in it is free. */
interface Board {
  readonly bytes: SharedArrayBuffer
  used: number
  records: number
}

/** `Persist` for records on a shelf. They stay there until it resolves. */
export type PersistShelved = (records: readonly Shelved[]) => Promise<void>

export interface Shelf {
  put(record: SealedRecord): Shelved
  /** Its room may be used again. */
  free(shelved: Shelved): void
}

/** Starts empty; keeps a few boards for the next records. */
export function createShelf(): Shelf {
  const spare: Board[] = []
  let open: Board = makeBoard(SHELF_BYTES)
  const boardFor = (length: number): Board => {
    if (length > SHELF_BYTES) return makeBoard(length)
    if (open.used + length <= SHELF_BYTES) return open
    open = spare.pop() ?? makeBoard(SHELF_BYTES)
    return open
  }
  return {
    put: ({ jws, ...others }) => {
      const rest = JSON.stringify(others)
      const length = jws.length + Buffer.byteLength(rest)
      const board = boardFor(length)
      const [start, end] = [board.used, board.used + length]
      const place = Buffer.from(board.bytes, start, length)
      place.write(jws, 'latin1')
      place.write(rest, jws.length)
      board.used = end
      board.records += 1
      return { board, start, middle: start + jws.length, end }
    },
    free: ({ board }) => {
      board.records -= 1
      if (board.records > 0) return
      board.used = 0
      if (board === open || board.bytes.byteLength > SHELF_BYTES) return
      if (spare.length < SHELVES_SPARE_MAX) spare.push(board)
    },
  }
}

/** Gives the record again, as often as asked. */
export function readShelved({ board, start, middle, end }: Shelved): SealedRecord {
  const bytes = Buffer.from(board.bytes)
  const rest = JSON.parse(bytes.toString('utf8', middle, end)) as Omit<SealedRecord, 'jws'>
  return { ...rest, jws: bytes.toString('latin1', start, middle) }
}

/** Takes records from their shelf for somebody who has them in this thread. */
export function fromShelf(persist: Persist): PersistShelved {
  return (records) => persist(records.map(readShelved))
}

function makeBoard(size: number): Board {
  return { bytes: new SharedArrayBuffer(size), used: 0, records: 0 }
}

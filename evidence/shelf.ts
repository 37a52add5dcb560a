/**
 * Where sealed records wait for the log: as bytes outside the heap. As texts they would outlive two
 * collections each, move to the old generation, and be most of what fills it. @module
 */
import { SHELF_BYTES, SHELVES_SPARE_MAX } from './limits.ts'
import type { SealedRecord } from './record.ts'

/** A record whose text is on a shelf. */
export interface Shelved extends Omit<SealedRecord, 'jws'> {
  readonly board: Board
  readonly start: number
  readonly end: number
}

export interface Shelf {
  put(record: SealedRecord): Shelved
  /** Gives the record again, as often as asked. */
  read(shelved: Shelved): SealedRecord
  /** Its room may be used again. */
  free(shelved: Shelved): void
}

/** A stretch of memory that is filled once, and again when all that stands in it is free. */
interface Board {
  readonly bytes: Buffer
  used: number
  records: number
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
    put: ({ rid, kind, instance, seq, jws }) => {
      const board = boardFor(jws.length)
      const start = board.used
      board.used += board.bytes.write(jws, start, 'latin1') // A JWS is ASCII.
      board.records += 1
      return { rid, kind, instance, seq, board, start, end: board.used }
    },
    read: ({ rid, kind, instance, seq, board, start, end }) => {
      return { rid, kind, instance, seq, jws: board.bytes.toString('latin1', start, end) }
    },
    free: ({ board }) => {
      board.records -= 1
      if (board.records > 0) return
      board.used = 0
      if (board === open || board.bytes.length > SHELF_BYTES) return
      if (spare.length < SHELVES_SPARE_MAX) spare.push(board)
    },
  }
}

function makeBoard(size: number): Board {
  return { bytes: Buffer.allocUnsafeSlow(size), used: 0, records: 0 }
}

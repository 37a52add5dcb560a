/** Random bytes for ids, traces and decoys, asked of the generator some thousands at a time. @module */
import { randomBytes } from 'node:crypto'
import { uuidv7 } from '../base/uuid.ts'

const POOL_BYTES = 8192

let pool = Buffer.alloc(0)
let used = 0

/**
 * Gives out bytes of the cryptographic generator, each once: a call to it costs as much for ten bytes
 * as for hundreds. Keys are not drawn here, so that none shares memory with what is published.
 */
export function drawRandom(size: number): Buffer {
  if (used + size > pool.length) {
    pool = randomBytes(Math.max(size, POOL_BYTES))
    used = 0
  }
  const start = used
  used += size
  return pool.subarray(start, used)
}

/** Makes the id of a record, or of an instance. @param nowUs microseconds since the Unix epoch. */
export function newRid(nowUs: bigint): string {
  return uuidv7(Number(nowUs / 1000n), drawRandom(10))
}

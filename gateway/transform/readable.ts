/** How far a body can be read at all, and in which row it stops. @module */
import { notUtf8, utf8End } from '../../base/utf8.ts'
import type { Problem } from '../../base/problem.ts'
import type { Codec, Reader } from './codec/codec.ts'
import { inPlace } from './codec/row.ts'

/** Checks text to be UTF-8 from `start` to `end`. @param offset bytes before the buffer, for messages. */
export function readableTo(
  { isText }: Codec,
  bytes: Buffer,
  start: number,
  end: number,
  offset: number,
): { readonly end: number; readonly fault?: Problem } {
  const sound = isText ? start + utf8End(bytes.subarray(start, end)) : end
  return sound === end ? { end } : { end: sound, fault: notUtf8(offset + sound) }
}

/** What is wrong at `end`, told with the row when there are rows. @param start up to where all was read. */
export function misplaced(
  fault: Problem,
  { placeAt }: Reader,
  bytes: Buffer,
  start: number,
  end: number,
): unknown {
  return placeAt === undefined ? fault : inPlace(fault, placeAt(bytes, start, end))
}

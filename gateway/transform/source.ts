/** The bytes of one document, and the texts of its spans. @module */
import { isAscii } from 'node:buffer'

/** A document; `latin1` is made when the first text is asked for. */
export interface Source {
  readonly bytes: Buffer
  latin1: string | undefined
  /** Whether all of it is known to be ASCII. */
  isAscii: boolean
}

/** Prepares a document. */
export function makeSource(bytes: Buffer): Source {
  return { bytes, latin1: undefined, isAscii: false }
}

/** Longer spans are decoded one by one. */
export const SHORT_BYTES_MAX = 64

/**
 * The text of a span of UTF-8. Decoding a short span costs more than cutting it out of a text that
 * was decoded once, byte by byte; where all its bytes are ASCII the two are the same.
 */
export function spanText(source: Source, start: number, end: number): string {
  const { bytes } = source
  if (source.isAscii) return asciiText(source, start, end)
  if (end - start > SHORT_BYTES_MAX) return bytes.toString('utf8', start, end)
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) > 0x7f) return bytes.toString('utf8', start, end)
  }
  return asciiText(source, start, end)
}

/** The text of a span of ASCII. */
export function asciiText(source: Source, start: number, end: number): string {
  if (source.latin1 === undefined) {
    source.latin1 = source.bytes.toString('latin1')
    source.isAscii = isAscii(source.bytes)
  }
  return source.latin1.slice(start, end)
}

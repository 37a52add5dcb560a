/** The bytes of one document, and the texts of its spans. @module */

/** A document; `latin1` is made when the first text is asked for. */
export interface Source {
  readonly bytes: Buffer
  latin1: string | undefined
}

/** Longer spans are decoded one by one. */
export const SHORT_BYTES_MAX = 64

/**
 * The text of a span of UTF-8. Decoding a short span costs more than cutting it out of a text that
 * was decoded once, byte by byte; where all its bytes are ASCII the two are the same.
 */
export function spanText(source: Source, start: number, end: number): string {
  const { bytes } = source
  if (end - start > SHORT_BYTES_MAX) return bytes.toString('utf8', start, end)
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) > 0x7f) return bytes.toString('utf8', start, end)
  }
  return asciiText(source, start, end)
}

/** The text of a span of ASCII. */
export function asciiText(source: Source, start: number, end: number): string {
  source.latin1 ??= source.bytes.toString('latin1')
  return source.latin1.slice(start, end)
}

/** Bytes as text, in their canonical spelling only: two texts for one message could not be told apart. @module */
import type { Encoding } from './config.ts'

/** Writes bytes; hexadecimal digits are lower case. */
export function encode(bytes: Uint8Array, encoding: Encoding): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(encoding)
}

/** @throws {Error} for any other spelling. */
export function decode(text: string, encoding: Encoding): Buffer {
  const bytes = Buffer.from(text, encoding)
  if (bytes.toString(encoding) !== text) throw new Error('expected the canonical spelling')
  return bytes
}

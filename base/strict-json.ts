/** Parses JSON that has one reading only, for documents that are small and must be unambiguous. @module */
import { type JsonSink, scanJson } from './json-scan.ts'

const NOTHING: JsonSink = {
  member: () => undefined,
  element: () => undefined,
  scalar: () => undefined,
  open: () => false,
  close: () => undefined,
}

/**
 * Parses one document; `__proto__` is an ordinary name.
 *
 * @throws {Problem} `body-malformed` or `body-too-large`, see json-scan.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  scanJson(buffer, NOTHING)
  return JSON.parse(buffer.toString('utf8'))
}

/** Where bytes stop being UTF-8 (RFC 3629). @module */
import { isUtf8 } from 'node:buffer'
import { malformed } from './json-token.ts'
import type { Problem } from './problem.ts'

/** @throws {Problem} `body-malformed` where the bytes stop being UTF-8 (RFC 3629). */
export function requireUtf8(bytes: Buffer, offset: number): void {
  const end = utf8End(bytes)
  if (end < bytes.length) throw notUtf8(offset + end)
}

/** What is wrong where bytes stop being UTF-8. */
export function notUtf8(at: number): Problem {
  return malformed(at, 'expected UTF-8')
}

/** How many of the bytes are UTF-8 (RFC 3629), from the first one on. */
export function utf8End(bytes: Buffer): number {
  if (isUtf8(bytes)) return bytes.length
  // Decoding puts a replacement character where it fails: that is the first difference.
  const read = Buffer.from(bytes.toString('utf8'))
  let at = 0
  while (at < bytes.length && read[at] === bytes[at]) at++
  return at
}

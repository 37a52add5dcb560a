/** Strict base64url (RFC 4648 §5, no padding): one text per byte string, one byte string per text. @module */
import { Problem, type ProblemSlug } from './problem.ts'

/** Encodes bytes, or a text's UTF-8 bytes, without padding. */
export function toBase64url(bytes: Uint8Array | string): string {
  return Buffer.from(bytes as string).toString('base64url')
}

/**
 * Decodes only the canonical spelling: no padding, no white space, no stray trailing bits. Several
 * texts for one signature would mean several digests for one record.
 *
 * @throws {Problem} `slug` when the text is not canonical base64url.
 */
export function fromBase64url(text: string, slug: ProblemSlug = 'request-malformed'): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) {
    throw new Problem(slug, 'expected canonical base64url without padding')
  }
  return bytes
}

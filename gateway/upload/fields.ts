/** The fields of resumable uploads (draft-ietf-httpbis-resumable-upload-12). @module */
import { Problem } from '../../base/problem.ts'
import type { Head } from '../http/headers.ts'

/** What is said to clients of drafts; both sides must say the same for a 104. */
export const INTEROP_VERSION = 8
/** The media type of a part. */
export const PART_TYPE = 'application/partial-upload'

/** What a request says of an upload. */
export interface UploadFields {
  /** Whether nothing follows behind this content. */
  readonly complete: boolean | undefined
  /** Where this content begins. */
  readonly offset: number | undefined
  /** Bytes of the whole representation. */
  readonly length: number | undefined
  readonly interop: number | undefined
}

/**
 * Reads them. A value of another type is refused, although the draft would have it ignored: what is
 * meant as a part could be taken for a whole body.
 *
 * @throws {Problem} `request-malformed`
 */
export function readUploadFields(head: Head): UploadFields {
  const complete = head.get('upload-complete')
  if (complete !== undefined && !/^\?[01]$/.test(complete)) {
    throw new Problem('request-malformed', 'expected `upload-complete` as `?0` or `?1`')
  }
  return {
    complete: complete === undefined ? undefined : complete === '?1',
    offset: readInteger(head, 'upload-offset'),
    length: readInteger(head, 'upload-length'),
    interop: readInteger(head, 'upload-draft-interop-version'),
  }
}

/** RFC 9651 §3.3.1: at most 15 digits. */
function readInteger(head: Head, name: string): number | undefined {
  const value = head.get(name)
  if (value === undefined) return undefined
  if (!/^\d{1,15}$/.test(value)) {
    throw new Problem('request-malformed', `expected \`${name}\` as a non-negative integer`)
  }
  return Number(value)
}

/**
 * The length that a request tells, in either of the two ways of the draft.
 *
 * @param offset where its content begins.
 * @throws {Problem} `inconsistent-upload-length` when they, or what was told before, do not fit together.
 */
export function lengthToldBy(
  { complete, length }: UploadFields,
  head: Head,
  offset: number,
  known?: number,
): number | undefined {
  const content = contentLength(head)
  const ends = complete === true && content !== undefined ? offset + content : undefined
  const told = new Set([known, length, ends].filter((each) => each !== undefined))
  if (told.size > 1) throw inconsistent('the lengths that were told differ')
  const [only] = told
  if (only !== undefined && offset + (content ?? 0) > only) {
    throw inconsistent('the content goes beyond the length that was told')
  }
  return only
}

/** Bytes of a request's content, when it says so; none without a body. */
export function contentLength(head: Head): number | undefined {
  if (head.has('transfer-encoding')) return undefined
  return Number(head.get('content-length') ?? 0)
}

/** Says that lengths do not fit together. */
export function inconsistent(detail: string): Problem {
  return new Problem('inconsistent-upload-length', detail)
}

/** The value of `Upload-Limit`. @param ageMs that the upload stays, if nothing else happens. */
export function writeLimits(sizeMax: number, ageMs: number): string {
  return `max-size=${sizeMax}, max-age=${Math.floor(ageMs / 1000)}`
}

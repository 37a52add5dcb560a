/** The head of one part of multipart/form-data (RFC 7578 §4). What two parsers read in two ways is refused. @module */
import { isUtf8 } from 'node:buffer'
import { malformed } from '../../../base/json-token.ts'

/** What stands before a part's content; positions are those of the buffer. */
export interface PartHead {
  /** Between the quotation marks. */
  readonly nameStart: number
  readonly nameEnd: number
  readonly name: string
  /** Of a file: where its name stands. */
  readonly fileStart: number | undefined
  readonly fileEnd: number
}

/** A name in quotes: no escape but `%`, which browsers write for quotes and line breaks. */
const DISPOSITION =
  /^content-disposition: *form-data; *name="([^"\\\r\n]*)"(?:; *filename="([^"\\\r\n]*)")? *$/i
/** A media type; a long run of digits could be a number of somebody. */
const TYPE = /^content-type: *(?!.*\d{4})[a-z]+\/[a-z\d][a-z\d.+-]*(?:; *charset="?utf-8"?)? *$/i

/**
 * Reads the header fields between `start` and `end`.
 *
 * @param offset bytes before the buffer.
 * @throws {Problem} `body-malformed`
 */
export function readPartHead(bytes: Buffer, start: number, end: number, offset: number): PartHead {
  if (!isUtf8(bytes.subarray(start, end))) throw malformed(offset + start, 'expected UTF-8')
  let head: PartHead | undefined
  let hasType = false
  for (let at = start; at < end;) {
    const next = bytes.indexOf('\r\n', at)
    const lineEnd = next < 0 || next > end ? end : next
    const line = bytes.toString('latin1', at, lineEnd)
    const match = DISPOSITION.exec(line)
    if (match !== null && head === undefined) head = placeNames(bytes, line, match, at)
    else if (TYPE.test(line) && !hasType) hasType = true
    else throw malformed(offset + at, 'a header field of a part is not expected here, or so')
    at = lineEnd + 2
  }
  if (head === undefined) throw malformed(offset + start, 'expected `Content-Disposition`')
  return head
}

function placeNames(bytes: Buffer, line: string, match: RegExpExecArray, at: number): PartHead {
  const [, name = '', file] = match
  const nameStart = at + line.indexOf('"') + 1
  const nameEnd = nameStart + name.length
  const fileEnd = at + line.lastIndexOf('"')
  return {
    nameStart,
    nameEnd,
    name: bytes.toString('utf8', nameStart, nameEnd),
    fileStart: file === undefined ? undefined : fileEnd - file.length,
    fileEnd,
  }
}

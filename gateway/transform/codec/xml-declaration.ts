/** The XML declaration (XML 1.0 §2.8), which may say the character set once more. @module */
import { malformed } from '../../../base/json-token.ts'
import { Problem } from '../../../base/problem.ts'
import type { Charset } from '../../policy/body.ts'

const DECLARATION =
  /^<\?xml version=(?:"1\.0"|'1\.0')(?:\s+encoding=["']([\w.-]+)["'])?(?:\s+standalone=["'](?:yes|no)["'])?\s*\?>/
const BYTE_ORDER_MARK = '\ufeff'
const DECLARATION_BYTES_MAX = 200

/**
 * Reads what stands before the document.
 *
 * @returns where it ends, -1 when it is not all there.
 * @throws {Problem} `media-type-unsupported` when it names another character set than the message does.
 */
export function readDeclaration(
  bytes: Buffer,
  end: number,
  last: boolean,
  charset: Charset,
): number {
  if (end < DECLARATION_BYTES_MAX && !last && bytes.subarray(0, end).indexOf('?>') < 0) return -1
  const source = bytes.toString('utf8', 0, Math.min(end, DECLARATION_BYTES_MAX))
  const marked = source.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : ''
  const text = source.slice(marked.length)
  const match = DECLARATION.exec(text)
  if (match === null && /^<\?xml\s/.test(text))
    throw malformed(0, 'a declaration of XML that is not in its simplest form')
  const said = match?.[1]?.toLowerCase()
  if (said !== undefined && said !== charset && !(said === 'gb2312' && charset === 'gbk')) {
    const detail = `the document says that it is in another character set than ${charset}`
    throw new Problem('media-type-unsupported', detail)
  }
  return Buffer.byteLength(marked) + (match?.[0].length ?? 0)
}

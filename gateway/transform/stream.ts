/** Rewrites a JSON document as it comes, in constant memory, with the same outcome as in one piece. @module */
import { advance, requireUtf8, startScan } from '../../base/json-scan.ts'
import { Problem } from '../../base/problem.ts'
import type { Claim } from '../../evidence/record.ts'
import type { CompiledDirection } from './compile.ts'
import { startRewrite } from './engine.ts'
import { JSON_SPELLING } from './json.ts'
import { HELD_BYTES_MAX, REREAD_BYTES_MAX } from './limits.ts'
import type { Rewritten } from './transform.ts'

/** A body on its way. After a Problem nothing more may be written, nor passed on. */
export interface BodyStream {
  /** @returns what may leave now, and the claims that belong to it. */
  write(chunk: Uint8Array): { readonly bytes: Buffer; readonly claims: readonly Claim[] }
  /** @returns the rest, and the manifest of the whole. */
  end(): Rewritten
}

/**
 * Starts a stream. What has left cannot be called back: who needs all or nothing uses rewriteBody.
 *
 * @throws {Problem} from `write` and `end`, as rewriteBody does; `policy-refused` for a transform
 * that answers `later`; `body-too-large` when over HELD_BYTES_MAX are undecided.
 */
export function startBodyStream(direction: CompiledDirection): BodyStream {
  let held = Buffer.alloc(0)
  let scanned = 0
  let readable = 0
  let tryAt = 0
  const rewriter = startRewrite(direction.body, JSON_SPELLING, held)
  const scan = startScan(rewriter, true)

  function take(chunk: Uint8Array, last: boolean) {
    held = Buffer.concat([held, chunk])
    if (held.length < tryAt && !last) return NOTHING
    const whole = last ? held.length : wholeCharacters(held)
    requireUtf8(held.subarray(readable, whole), scan.offset + readable)
    readable = whole
    rewriter.resume(held)
    scanned = advance(scan, held, last, scanned, whole)
    if (rewriter.changes.some(({ change }) => change === 'later')) {
      throw new Problem('policy-refused', 'a rule of this policy needs the whole body at once')
    }
    if (last) return NOTHING
    const { bytes, claims, keepFrom } = rewriter.release(scanned)
    held = held.subarray(keepFrom)
    scan.offset += keepFrom
    scanned -= keepFrom
    readable -= keepFrom
    if (held.length > HELD_BYTES_MAX) {
      throw new Problem(
        'body-too-large',
        `over ${HELD_BYTES_MAX} bytes from byte ${scan.offset} on are undecided`,
      )
    }
    const cutOff = held.length - scanned
    tryAt = cutOff > REREAD_BYTES_MAX ? held.length + cutOff : 0
    return { bytes, claims }
  }

  return {
    write: (chunk) => take(chunk, false),
    end: () => {
      take(NOTHING.bytes, true)
      return rewriter.finish()
    },
  }
}

const NOTHING = { bytes: Buffer.alloc(0), claims: [] }

/** @returns where the last whole character ends, if it is cut off at all (RFC 3629 §3). */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number
    if (byte < 0x80) break
    if (byte < 0xc0) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return length > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

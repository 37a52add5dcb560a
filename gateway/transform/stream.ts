/** Rewrites a body as it comes, in constant memory, with the same outcome as in one piece. @module */
import { requireUtf8 } from '../../base/json-scan.ts'
import { Problem } from '../../base/problem.ts'
import type { Claim } from '../../evidence/record.ts'
import { startTranscoder, type Transcoder } from './charset.ts'
import type { Codec, Reader } from './codec/codec.ts'
import type { CompiledDirection } from './compile.ts'
import { type Rewriter, startRewrite } from './engine.ts'
import { type BodyFormat, formatType, JSON_FORMAT } from './format.ts'
import { HELD_BYTES_MAX, REREAD_BYTES_MAX } from './limits.ts'
import type { Released } from './release.ts'
import type { BodyTraces, Rewritten } from './transform.ts'

/** A body on its way. After a Problem nothing more may be written, nor passed on. */
export interface BodyStream {
  /** @returns what may leave now, and the claims that belong to it. */
  write(chunk: Uint8Array): { readonly bytes: Buffer; readonly claims: readonly Claim[] }
  /** @returns the rest, and the manifest of the whole. */
  end(): Rewritten
  /** What the rules did so far; to a value that waits for what follows, perhaps too early. */
  traces(): BodyTraces
  /** The columns that rows of a table leave with, once they are known. */
  readonly columns: () => readonly string[] | undefined
}

/** What somebody wants to know on the way. */
export interface StreamHooks {
  /**
   * Told of each row (a line of NDJSON, a record of CSV) as it came and as it leaves, without what
   * parts it from other rows, before its bytes are given out. The buffers are valid during the call.
   *
   * @throws what stops the stream.
   */
  readonly onRow?: (input: Buffer, output: Buffer, claims: readonly Claim[]) => void
}

/** What is at hand of a body, and where the reading stands in it. */
interface Passage {
  readonly codec: Codec
  readonly rewriter: Rewriter
  readonly reader: Reader
  readonly transcoder: Transcoder
  readonly onRow: StreamHooks['onRow']
  held: Buffer
  /** Read up to here; checked to be UTF-8 up to there. */
  scanned: number
  readable: number
  /** With fewer bytes than these, what is cut off is not read again. */
  tryAt: number
  /** What may leave. */
  readonly out: Buffer[]
  readonly claims: Claim[]
}

/**
 * Starts a stream. What has left cannot be called back: who needs all or nothing uses rewriteBody.
 *
 * @throws {Problem} from `write` and `end`, as rewriteBody does; `policy-refused` for a transform
 * that answers `later`; `body-too-large` when over HELD_BYTES_MAX are undecided.
 */
export function startBodyStream(
  { body }: CompiledDirection,
  format: BodyFormat = JSON_FORMAT,
  { onRow }: StreamHooks = {},
): BodyStream {
  const codec = formatType(format).open(format, body, 'body-malformed')
  const rewriter = startRewrite(body, codec.spelling, NOTHING)
  const reader = codec.read(rewriter, true)
  const transcoder = startTranscoder(format.charset)
  // prettier-ignore
  const passage: Passage = {
    codec, rewriter, reader, transcoder, onRow, held: NOTHING, scanned: 0, readable: 0, tryAt: 0, out: [],
    claims: [],
  }
  const { out, claims } = passage
  return {
    columns: () => reader.columns?.(),
    traces: rewriter.traces,
    write(chunk) {
      take(passage, transcoder.decode(chunk, false))
      return { bytes: transcoder.encode(join(out.splice(0))), claims: claims.splice(0) }
    },
    end() {
      transcoder.decode(NOTHING, true)
      scan(passage, true)
      refuseLater(rewriter.changes)
      const rest = rewriter.finish()
      const bytes = transcoder.encode(join([...out.splice(0), rest.bytes]))
      return { ...rest, bytes, claims: [...claims.splice(0), ...rest.claims] }
    },
  }
}

function take(passage: Passage, chunk: Uint8Array): void {
  const { held, reader } = passage
  passage.held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk])
  if (passage.held.length < passage.tryAt) return
  scan(passage, false)
  letGo(passage)
  const { length } = passage.held
  if (length > HELD_BYTES_MAX) {
    const detail = `over ${HELD_BYTES_MAX} bytes from byte ${reader.offset} on are undecided`
    throw new Problem('body-too-large', detail)
  }
  const cutOff = length - passage.scanned
  passage.tryAt = cutOff > REREAD_BYTES_MAX ? length + cutOff : 0
}

function scan(passage: Passage, last: boolean): void {
  const { codec, rewriter, reader, onRow, held } = passage
  const whole = last || !codec.isText ? held.length : wholeCharacters(held)
  if (codec.isText) {
    requireUtf8(held.subarray(passage.readable, whole), reader.offset + passage.readable)
  }
  passage.readable = whole
  rewriter.resume(held)
  do {
    passage.scanned = reader.advance(passage.held, last, passage.scanned, passage.readable)
    if (onRow !== undefined && reader.paused) tellRow(passage, onRow)
  } while (reader.paused)
}

function tellRow(passage: Passage, tell: NonNullable<StreamHooks['onRow']>): void {
  const { row } = passage.reader
  const input = passage.held.subarray(row?.start, row?.end)
  const { bytes, claims } = letGo(passage)
  if (row === undefined) return
  const { encode } = passage.transcoder
  tell(encode(input), encode(withoutBreak(bytes)), claims)
}

/** Gives out what is decided, and forgets its input. */
function letGo(passage: Passage): Released {
  const { rewriter, reader, out, claims } = passage
  refuseLater(rewriter.changes)
  const released = rewriter.release(passage.scanned)
  const { keepFrom } = released
  out.push(released.bytes)
  for (const claim of released.claims) claims.push(claim)
  passage.held = passage.held.subarray(keepFrom)
  reader.offset += keepFrom
  passage.scanned -= keepFrom
  passage.readable -= keepFrom
  return released
}

const NOTHING: Buffer = Buffer.alloc(0)

function join(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
}

function refuseLater(changes: readonly { readonly change: string }[]): void {
  if (changes.some(({ change }) => change === 'later'))
    throw new Problem('policy-refused', 'a rule of this policy needs the whole body at once')
}

/** A row's bytes without the line break that parts it from the one before. */
function withoutBreak(bytes: Buffer): Buffer {
  let start = 0
  while (bytes[start] === 0x0a || bytes[start] === 0x0d) start++
  return bytes.subarray(start)
}

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

/** Rewrites a body as it comes, in constant memory, with the same outcome as in one piece. @module */
import { Problem } from '../../base/problem.ts'
import type { Claim } from '../../evidence/record.ts'
import type { RowBatch } from '../../evidence/rows/ledger.ts'
import { type Readable, startTranscoder, type Transcoder } from './charset.ts'
import type { Codec, Reader, Span } from './codec/codec.ts'
import { misplaced, readableTo } from './readable.ts'
import type { CompiledDirection } from './compile.ts'
import { type Rewriter, startRewrite } from './engine.ts'
import { type BodyFormat, formatType, JSON_FORMAT } from './format.ts'
import { HELD_BYTES_MAX, REREAD_BYTES_MAX } from './limits.ts'
import type { Written } from './output.ts'
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
  /** Rows that were told before those of the last part. */
  readonly rowsBefore: () => number
}

/** What somebody wants to know on the way. */
export interface StreamHooks {
  /**
   * Told of rows (lines of NDJSON, records of CSV) as they came, and of those that leave, without what parts
   * them from other rows, before their bytes are given out. The buffers are valid during the call.
   */
  readonly onRows?: (received: RowBatch, forwarded: RowBatch) => void
}

/** What is at hand of a body, and where the reading stands in it. */
interface Passage {
  readonly codec: Codec
  readonly rewriter: Rewriter
  readonly reader: Reader
  readonly transcoder: Transcoder
  readonly onRows: StreamHooks['onRows']
  held: Buffer
  /** Read up to here; checked to be UTF-8 up to there. */
  scanned: number
  readable: number
  /** With fewer bytes than these, what is cut off is not read again. */
  tryAt: number
  /** Each part that ended and was not told yet; undefined for one that is no row. */
  readonly parts: ((Span & { readonly stays: boolean }) | undefined)[]
  /** Rows that left; those of them that the last part has. */
  rows: number
  fresh: number
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
  { onRows }: StreamHooks = {},
): BodyStream {
  const codec = formatType(format).open(format, body, 'body-malformed')
  const rewriter = startRewrite(body, codec.spelling, NOTHING)
  const reader = codec.read(rewriter, true)
  const transcoder = startTranscoder(format.charset)
  // prettier-ignore
  const passage: Passage = {
    codec, rewriter, reader, transcoder, onRows, held: NOTHING, scanned: 0, readable: 0, tryAt: 0, parts: [], rows: 0, fresh: 0,
  }
  return {
    columns: () => reader.columns?.(),
    rowsBefore: () => passage.rows - passage.fresh,
    traces: rewriter.traces,
    write: (chunk) => take(passage, transcoder.read(chunk, false)),
    end() {
      scan(passage, transcoder.read(NOTHING, true).fault, true)
      refuseLater(passage)
      const rest = rewriter.finish()
      return { ...rest, bytes: tellRows(passage, rest) }
    },
  }
}

function take(passage: Passage, { text: chunk, fault }: Readable): ReturnType<BodyStream['write']> {
  const { held, reader } = passage
  passage.held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk])
  if (passage.held.length < passage.tryAt && fault === undefined)
    return { bytes: NOTHING, claims: [] }
  scan(passage, fault, false)
  const given = letGo(passage)
  const { length } = passage.held
  if (length > HELD_BYTES_MAX) {
    const detail = `over ${HELD_BYTES_MAX} bytes from byte ${reader.offset} on are undecided: a value must be shorter, unless it is a file of multipart/form-data` // prettier-ignore
    throw new Problem('body-too-large', detail)
  }
  const cutOff = length - passage.scanned
  const twice = Math.min(length + cutOff, HELD_BYTES_MAX + 1)
  passage.tryAt = cutOff > REREAD_BYTES_MAX ? twice : 0
  return given
}

/** @param charset what is wrong behind all that is held. */
function scan(passage: Passage, charset: Problem | undefined, last: boolean): void {
  const { codec, rewriter, reader, onRows, held, parts } = passage
  const whole = last || charset !== undefined || !codec.isText ? held.length : wholeCharacters(held)
  const { end, fault = charset } = readableTo(codec, held, passage.readable, whole, reader.offset)
  if (fault !== undefined && reader.placeAt === undefined) throw fault
  passage.readable = end
  rewriter.resume(held)
  do {
    passage.scanned = reader.advance(held, last && fault === undefined, passage.scanned, end)
    if (onRows === undefined || !reader.paused) continue
    const { row } = reader
    const stays = rewriter.cut(row?.end ?? passage.scanned)
    if (row === undefined) parts.push(undefined)
    else parts.push({ ...row, stays })
  } while (reader.paused)
  // What stands before is read first, for the row that it is in.
  if (fault !== undefined) throw misplaced(fault, reader, held, passage.scanned, end)
}

/** Gives out what is decided, and forgets its input. */
function letGo(passage: Passage): ReturnType<BodyStream['write']> {
  const { rewriter, reader } = passage
  refuseLater(passage)
  const released = rewriter.release(passage.scanned)
  const bytes = tellRows(passage, released)
  const { keepFrom, claims } = released
  passage.held = passage.held.subarray(keepFrom)
  reader.offset += keepFrom
  passage.scanned -= keepFrom
  passage.readable -= keepFrom
  return { bytes, claims }
}

/** Tells the rows that are written out, none while all of it waits. @returns what was written, encoded. */
function tellRows(passage: Passage, { bytes, cuts }: Written): Buffer {
  const { transcoder, onRows, parts, held } = passage
  passage.fresh = 0
  const encoded = transcoder.encode(bytes, cuts)
  if (cuts.length === 0) return encoded
  const received: number[] = []
  const forwarded: number[] = []
  for (let index = 0; index < cuts.length; index++) {
    const row = parts[index]
    if (row === undefined) continue
    received.push(row.start, row.end)
    const [from, to] = [cuts[index - 1] ?? 0, cuts[index] as number]
    if (row.stays) forwarded.push(withoutBreak(encoded, from, to), to)
  }
  parts.length = 0
  passage.fresh = forwarded.length / 2
  passage.rows += passage.fresh
  if (received.length === 0) return encoded
  const came = transcoder.encode(held.subarray(0, received.at(-1) ?? 0), received)
  onRows?.({ bytes: came, cuts: received }, { bytes: encoded, cuts: forwarded })
  return encoded
}

const NOTHING: Buffer = Buffer.alloc(0)

function refuseLater({ rewriter }: Passage): void {
  if (rewriter.isLater())
    throw new Problem('policy-refused', 'a rule of this policy needs the whole body at once')
}

/** @returns where a row begins behind the line break that parts it from the one before. */
function withoutBreak(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && (bytes[at] === 0x0a || bytes[at] === 0x0d)) at++
  return at
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

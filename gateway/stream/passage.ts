/**
 * A long body on its way through: decoded, rewritten, looked at by the guard, encoded again, in constant
 * memory. It knows nothing of HTTP, nor where the bytes come from and go to. @module
 */
import { createHash } from 'node:crypto'
import { Problem } from '../../base/problem.ts'
import type { Claim, MessageFacts } from '../../evidence/record.ts'
import type { RowLedger } from '../../evidence/rows/ledger.ts'
import type { CompiledDirection } from '../transform/compile.ts'
import { type BodyFormat, formatType } from '../transform/format.ts'
import { startBodyStream } from '../transform/stream.ts'
import type { BodyTraces, Captured } from '../transform/transform.ts'
import { type Coding, type CodingLimits, decodeStream, encodeStream } from './coding.ts'
import { type BodyGuard, startWindows } from './window.ts'

/** What a passage is made of. */
export interface PassageOptions {
  readonly rules: CompiledDirection
  readonly format: BodyFormat
  /** The coding in which it comes, and the one in which it leaves. */
  readonly decode: Coding | undefined
  readonly encode: Coding | undefined
  /** @throws {Problem} `leak-detected` */
  readonly guard: BodyGuard
  /** Where rows are entered, if the format has any. */
  readonly ledger: RowLedger
  readonly limits: CodingLimits
}

/** How far a passage is. */
export interface Progress {
  /** Bytes as they came and as they left, on the wire. */
  readonly received: number
  readonly forwarded: number
  /** Rows that left. */
  readonly rows: number
}

/** One body's way; it is taken once. */
export interface Passage {
  /**
   * Gives out what may leave, and reads on only when asked for more. Nothing that it gives out can be
   * called back.
   *
   * @throws {Problem} as `rewriteBody` and the guard do; what was given out before is then void.
   */
  run(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer>
  progress(): Progress
  /** What the record says of it, so far. @param prefix of the names of claims: `r:` for an answer. */
  facts(prefix: '' | 'r:'): PassageFacts
  /** Whether all of the body has been given out. */
  readonly whole: () => boolean
  readonly captured: () => ReadonlyMap<string, Captured>
  /** Content-Digest (RFC 9530) of what was given out so far. */
  digest(): string
}

/** What is known of a body that passed, wholly or in part. */
export type PassageFacts = Omit<MessageFacts, 'method' | 'mediaType' | 'streamed'>

/** What is worked on at once: all that is made of it on the way is garbage of a few times its size. */
const PIECE_BYTES = 16_384
/** Bytes between two sweeps: buffers are hardly any load to node's heap, so it would let 100 MB of them lie. */
const SWEEP_BYTES = 1_048_576

/** Makes a passage ready. */
export function createPassage(options: PassageOptions): Passage {
  const { format, decode, encode, ledger, limits } = options
  const hasRows = formatType(format).rows !== undefined
  // A commitment to each value would take as much memory as the body: its rows are committed to instead.
  const rules = { ...options.rules, body: { ...options.rules.body, claims: undefined } }
  const received = createTally(limits.bytesMax)
  const decoded = createTally(limits.bytesMax)
  const forwarded = createTally()
  // What was done to all that the guard has let pass; of a body that is stopped, to the part that left.
  let traces: BodyTraces = { manifest: [], unnamed: 0, captured: new Map() }
  let whole = false

  async function* rewritten(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const stream = startBodyStream(rules, format, hasRows ? { onRow: ledger.enter } : {})
    let worked = 0
    const windows = startWindows(format, options.guard, stream.columns)
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        const piece = chunk.subarray(at, at + PIECE_BYTES)
        const bytes = windows.write(stream.write(piece).bytes)
        // Whoever pulls may send them at once: they count as gone, even if the sending fails.
        ledger.settle()
        traces = stream.traces()
        if (bytes.length > 0) yield bytes
      }
      worked += chunk.length
      if (worked >= SWEEP_BYTES) {
        worked = 0
        globalThis.gc?.({ type: 'minor', execution: 'sync' }) // With `--expose-gc`, as cli/sealgate.js has it.
      }
    }
    const rest = windows.end(stream.end().bytes)
    ledger.settle()
    traces = stream.traces()
    if (rest.length > 0) yield rest
  }

  return {
    run: async function* (source) {
      const came = received.through(source)
      const plain =
        decode === undefined ? came : decoded.through(decodeStream(decode, came, limits))
      const changed = rewritten(plain)
      yield* forwarded.through(encode === undefined ? changed : encodeStream(encode, changed))
      whole = true
    },
    progress: () => ({
      received: received.bytes(),
      forwarded: forwarded.bytes(),
      rows: ledger.count(),
    }),
    facts: (prefix) => ({
      ...(decode === undefined ? {} : { coding: decode }),
      length: received.bytes(),
      forwardedLength: forwarded.bytes(),
      manifest: traces.manifest,
      unnamed: traces.unnamed,
      ...(hasRows ? { rows: ledger.facts() } : {}),
      ...(whole ? {} : { void: true }),
      claims: [
        received.claim(`${prefix}body_sha256`),
        ...(decode === undefined ? [] : [decoded.claim(`${prefix}decoded_sha256`)]),
        forwarded.claim(`${prefix}forwarded_sha256`),
      ],
    }),
    whole: () => whole,
    captured: () => traces.captured,
    digest: () => `sha-256=:${forwarded.sha256().toString('base64')}:`,
  }
}

/** Bytes counted and hashed as they go by. */
function createTally(bytesMax = Number.POSITIVE_INFINITY) {
  const sha256 = createHash('sha256')
  let bytes = 0
  return {
    bytes: () => bytes,
    sha256: () => sha256.copy().digest(),
    claim: (name: string): Claim => ({
      name,
      json: `"${sha256.copy().digest('base64url')}"`,
    }),
    through: async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of source) {
        bytes += chunk.length
        if (bytes > bytesMax) {
          throw new Problem('body-too-large', `expected at most ${bytesMax} bytes`)
        }
        sha256.update(chunk)
        yield chunk
      }
    },
  }
}

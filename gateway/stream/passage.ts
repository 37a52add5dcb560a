/**
 * A long body on its way through: decoded, rewritten, looked at by the guard, encoded again, in constant
 * memory. It knows nothing of HTTP, nor where the bytes come from and go to. @module
 */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { Problem } from '../../base/problem.ts'
import type { BodyEvidence, Claim, MessageFacts } from '../../evidence/record.ts'
import { formatType } from '../transform/format.ts'
import type { Captured } from '../transform/transform.ts'
import { type Coding, type CodingLimits, decodeStream, encodeStream } from './coding.ts'
import { type ScreenOptions, startScreen } from './screen.ts'
import { startSweeping } from './sweep.ts'
import type { Twin } from './twin.ts'

/** What a passage is made of. */
export interface PassageOptions extends ScreenOptions, BodyEvidence {
  /** The coding in which it comes, and the one in which it leaves. */
  readonly decode: Coding | undefined
  readonly encode: Coding | undefined
  /** Sees what the rules see. */
  readonly twin?: Twin | undefined
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

/** Makes a passage ready. */
export function createPassage(options: PassageOptions): Passage {
  const { format, decode, encode, ledger, original, limits, twin } = options
  const hasRows = formatType(format).rows !== undefined
  const screen = startScreen(options, hasRows ? { onRows: ledger.enter } : {})
  const received = createTally(limits.bytesMax)
  const decoded = createTally(limits.bytesMax)
  const forwarded = createTally()
  let whole = false

  async function* rewritten(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const sweep = startSweeping()
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        const piece = chunk.subarray(at, at + PIECE_BYTES)
        twin?.write(piece)
        const bytes = screen.write(piece)
        // Whoever pulls may send them at once: they count as gone, even if the sending fails.
        ledger.settle()
        // Others get their turn, and what a receiver has said so far is heard before it gets more.
        await setImmediate()
        if (bytes.length > 0) yield bytes
      }
      sweep(chunk.length)
    }
    twin?.end()
    const rest = screen.end()
    ledger.settle()
    if (rest.length > 0) yield rest
  }

  return {
    run: async function* (source) {
      const came = keep(received.through(source), original)
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
      manifest: screen.traces().manifest,
      unnamed: screen.traces().unnamed,
      ...(hasRows ? { rows: ledger.facts() } : {}),
      ...(whole ? {} : { void: true }),
      claims: [
        received.claim(`${prefix}body_sha256`),
        ...(decode === undefined ? [] : [decoded.claim(`${prefix}decoded_sha256`)]),
        forwarded.claim(`${prefix}forwarded_sha256`),
      ],
    }),
    whole: () => whole,
    captured: () => screen.traces().captured,
    digest: () => `sha-256=:${forwarded.sha256().toString('base64')}:`,
  }
}

/** Custody gets each part before anything that is made of it leaves, and has all before the end does. */
async function* keep(
  source: AsyncGenerator<Buffer>,
  original: BodyEvidence['original'],
): AsyncGenerator<Buffer> {
  if (original === undefined) return yield* source
  for await (const chunk of source) {
    await original.write(chunk)
    yield chunk
  }
  await original.finish()
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
          throw new Problem('body-too-large', `expected at most ${bytesMax} bytes: split the body`)
        }
        sha256.update(chunk)
        yield chunk
      }
    },
  }
}

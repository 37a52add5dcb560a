/** Content codings (RFC 9110 §8.4): bodies leave in the coding in which they came. @module */
import { pipeline, Readable, type Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { Problem, type ProblemSlug } from '../../base/problem.ts'

/** A coding's name, as the field has it. */
export type Coding = 'gzip' | 'deflate' | 'br' | 'zstd'

/** What decoding may come to. */
export interface CodingLimits {
  /** Bytes of one body, decoded. */
  readonly bytesMax: number
  /** Decoded bytes per byte as it came, once RATIO_FREE_BYTES are decoded. */
  readonly ratioMax: number
}

/** Small bodies may be as repetitive as they like. */
export const RATIO_FREE_BYTES = 1_048_576
/** RFC 9659: an encoder's window is at most 8 MiB; more would be memory that a caller chooses. */
const ZSTD_WINDOW_LOG_MAX = 23

interface CodingType {
  readonly decoder: () => Transform & { readonly bytesWritten: number }
  readonly encoder: () => Transform
}

// prettier-ignore
const CODINGS: Readonly<Record<Coding, CodingType>> = {
  gzip:    { decoder: () => zlib.createGunzip(),  encoder: () => zlib.createGzip({ level: 6 }) },
  deflate: { decoder: () => zlib.createInflate(), encoder: () => zlib.createDeflate({ level: 6 }) },
  br:      { decoder: () => zlib.createBrotliDecompress(), encoder: () => zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }) },
  zstd:    { decoder: () => zlib.createZstdDecompress({ params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } }), encoder: () => zlib.createZstdCompress({ params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } }) },
}
const NAMES = Object.keys(CODINGS) as Coding[]

/**
 * Reads a Content-Encoding.
 *
 * @returns undefined for a body without a coding.
 * @throws {Problem} `media-type-unsupported` for an unknown coding, or more than one.
 */
export function readCoding(value: string | undefined): Coding | undefined {
  const name = (value ?? 'identity').trim().toLowerCase()
  if (name === 'identity') return undefined
  const coding = name === 'x-gzip' ? 'gzip' : NAMES.find((known) => known === name) // RFC 9110 §8.4.1.3
  if (coding !== undefined) return coding
  const expected = `expected no content coding, or one of ${NAMES.join(', ')}`
  throw new Problem('media-type-unsupported', expected)
}

/** The codings that an Accept-Encoding takes (RFC 9110 §12.5.3), in its order; none without one. */
export function acceptedCodings(value: string | undefined): readonly Coding[] {
  const members = (value ?? '').split(',').map((member) => member.trim().toLowerCase())
  return NAMES.filter((name) =>
    members.some((member) => {
      const [token = '', ...parameters] = member.split(/\s*;\s*/)
      const refused = parameters.some((parameter) => /^q\s*=\s*0(?:\.0*)?$/.test(parameter))
      return token === name && !refused
    }),
  )
}

/**
 * Decodes a body as it comes.
 *
 * @param slug what a body is that cannot be decoded.
 * @throws {Problem} `slug`, also for bytes behind the end; `body-too-large` beyond a limit.
 */
export async function* decodeStream(
  coding: Coding,
  source: AsyncIterable<Buffer>,
  { bytesMax, ratioMax }: CodingLimits,
  slug: ProblemSlug = 'body-malformed',
): AsyncGenerator<Buffer> {
  const decoder = CODINGS[coding].decoder()
  let came = 0
  let failure: unknown
  // A failure of the source must not look like one of the coding.
  const counted = async function* (): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of source) {
        came += chunk.length
        yield chunk
      }
    } catch (error) {
      failure = error
      throw error
    }
  }
  let decoded = 0
  try {
    for await (const chunk of through(counted(), decoder)) {
      decoded += chunk.length
      if (decoded > bytesMax) throw tooLarge(`decoded, the body is longer than ${bytesMax} bytes`)
      if (decoded > RATIO_FREE_BYTES && decoded > came * ratioMax) {
        throw tooLarge(`one byte of the body decodes to more than ${ratioMax}`)
      }
      yield chunk
    }
  } catch (cause) {
    if (failure !== undefined) throw failure
    if (cause instanceof Problem) throw cause
    throw new Problem(slug, `the body is not valid ${coding}`, { cause })
  }
  // Two readers could disagree on what follows: one reads on, the other does not.
  if (decoder.bytesWritten !== came)
    throw new Problem(slug, `bytes follow the end of the ${coding}`)
}

/** Encodes a body as it comes. */
export function encodeStream(coding: Coding, source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  return through(source, CODINGS[coding].encoder())
}

/**
 * Decodes a whole body; as `decodeStream`.
 *
 * @returns undefined when it is longer than `bytesMax`: it may still be read as it is decoded.
 */
export async function decodeWhole(
  coding: Coding,
  body: Buffer,
  { bytesMax, ratioMax }: CodingLimits,
  slug?: ProblemSlug,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  const limits = { bytesMax: Number.POSITIVE_INFINITY, ratioMax }
  for await (const chunk of decodeStream(coding, once(body), limits, slug)) {
    chunks.push(chunk)
    length += chunk.length
    if (length > bytesMax) return undefined
  }
  return Buffer.concat(chunks, length)
}

/** Encodes a whole body. */
export async function encodeWhole(coding: Coding, body: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of encodeStream(coding, once(body))) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Pulls a source through a transform; the error of either ends it. */
async function* through(source: AsyncIterable<Buffer>, step: Transform): AsyncGenerator<Buffer> {
  // What fails is thrown by the loop; the callback only keeps it from being unhandled.
  pipeline(Readable.from(source, { objectMode: false }), step, () => undefined)
  for await (const chunk of step) yield chunk as Buffer
}

async function* once(body: Buffer): AsyncGenerator<Buffer> {
  yield body
}

function tooLarge(detail: string): Problem {
  return new Problem('body-too-large', detail)
}

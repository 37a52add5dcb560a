/** Reads a caller's body once from the socket, within bounds. @module */
import type { IncomingMessage } from 'node:http'
import { Problem } from '../../base/problem.ts'
import type { Head } from './headers.ts'
import type { RelayLimits } from './limits.ts'

const EMPTY = Buffer.alloc(0)

/** Requests whose bytes will not come, or cannot be read: waiting for their end would be for ever. */
const broken = new WeakSet<IncomingMessage>()

/** Must be called for each request at once, so that a break at any time is known and never thrown. */
export function watchRequest(request: IncomingMessage): void {
  request.once('error', () => broken.add(request))
  request.once('close', () => {
    if (!request.complete) broken.add(request)
  })
}

/**
 * Collects the body.
 *
 * @throws {Problem} `media-type-unsupported` for a content coding, `body-too-large`, or
 *   `body-malformed` when the caller stops in the middle.
 */
export function readBody(
  request: IncomingMessage,
  head: Head,
  limits: RelayLimits,
): Promise<Buffer> | Buffer {
  const coding = head.get('content-encoding')
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity') {
    throw new Problem('media-type-unsupported', 'expected a body without content coding')
  }
  const declared = head.get('content-length')
  if (declared === undefined && !head.has('transfer-encoding')) return EMPTY
  const max = limits.BODY_BYTES_MAX
  if (declared !== undefined && Number(declared) > max) throw tooLarge(max)
  return collect(request, max)
}

function collect(request: IncomingMessage, max: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (length <= max) {
        chunks.push(chunk)
        return
      }
      request.off('data', onData)
      request.pause()
      reject(tooLarge(max))
    }
    request.on('data', onData)
    request.once('end', () => {
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length))
    })
    const onBreak = (cause?: unknown) => {
      if (request.complete && cause === undefined) return
      const because = cause === undefined ? {} : { cause }
      reject(new Problem('body-malformed', 'the body broke off or is framed wrongly', because))
    }
    if (broken.has(request)) onBreak()
    request.once('error', onBreak)
    request.once('close', () => onBreak())
  })
}

/**
 * Reads on what is left of a refused body, so that the caller gets to read the answer instead of a
 * reset; gives up at the bound.
 *
 * @returns whether the connection can be used again.
 */
export function discardBody(
  request: IncomingMessage,
  bytesMax: number,
): Promise<boolean> | boolean {
  if (broken.has(request)) return false
  if (request.complete) return true
  return new Promise((resolve) => {
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > bytesMax) resolve(false)
    })
    request.once('end', () => resolve(true))
    request.once('error', () => resolve(false))
    request.once('close', () => resolve(request.complete))
    request.resume()
  })
}

function tooLarge(max: number): Problem {
  return new Problem('body-too-large', `expected at most ${max} bytes`)
}

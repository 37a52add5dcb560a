/** Reads a caller's body once from the socket, within bounds. @module */
import type { IncomingMessage } from 'node:http'
import { Problem } from '../../base/problem.ts'
import type { BodyRest, LongBody } from '../exchange.ts'
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
 * Collects the body, up to BODY_BYTES_MAX.
 *
 * @returns a long body when there is more, with the rest of it unread.
 * @throws {Problem} `body-malformed` when the caller stops in the middle, or is too slow.
 */
export function readBody(
  request: IncomingMessage,
  head: Head,
  limits: RelayLimits,
): Promise<Buffer | LongBody> | Buffer | LongBody {
  const declared = head.get('content-length')
  if (declared === undefined && !head.has('transfer-encoding')) return EMPTY
  const max = limits.BODY_BYTES_MAX
  if (declared !== undefined && Number(declared) > max) {
    return { prefix: [], rest: restOf(request), length: Number(declared) }
  }
  return collect(request, max, limits.REQUEST_TIMEOUT_MS)
}

/** A body that is read while it comes. */
export function restOf(request: IncomingMessage): BodyRest {
  return { stream: request, complete: () => request.complete }
}

function collect(
  request: IncomingMessage,
  max: number,
  timeoutMs: number,
): Promise<Buffer | LongBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const settle = (result: Buffer | LongBody | Problem) => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('error', onBreak).off('close', onClose)
      if (result instanceof Problem) reject(result)
      else resolve(result)
    }
    const onData = (chunk: Buffer) => {
      length += chunk.length
      chunks.push(chunk)
      if (length <= max) return
      request.pause()
      settle({ prefix: chunks, rest: restOf(request), length: undefined })
    }
    const onEnd = () =>
      settle(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length))
    const onBreak = (cause?: unknown) => {
      const because = cause === undefined ? {} : { cause }
      settle(new Problem('body-malformed', 'the body broke off or is framed wrongly', because))
    }
    const onClose = () => {
      if (!request.complete) onBreak()
    }
    // Node's own limit would also end a long body that comes steadily.
    const timer = setTimeout(() => {
      settle(new Problem('body-malformed', `the body did not arrive within ${timeoutMs} ms`))
    }, timeoutMs)
    request.on('data', onData).on('end', onEnd).on('error', onBreak).on('close', onClose)
    if (broken.has(request)) onBreak()
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
  timeoutMs: number,
): Promise<boolean> | boolean {
  if (broken.has(request)) return false
  if (request.complete) return true
  return new Promise((settle) => {
    let length = 0
    const resolve = (reuse: boolean) => {
      clearTimeout(timer)
      settle(reuse)
    }
    const timer = setTimeout(() => resolve(false), timeoutMs)
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

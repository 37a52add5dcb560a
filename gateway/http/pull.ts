/** Bodies as they come over a connection, with a limit to waiting, and writing with back-pressure. @module */
import type { Readable, Writable } from 'node:stream'
import { Problem, type ProblemSlug } from '../../base/problem.ts'
import type { LongBody } from '../exchange.ts'

/** What a body is called when it stops in the middle. */
export interface Break {
  readonly slug: ProblemSlug
  readonly detail: string
}

/**
 * Reads a body chunk by chunk. Whoever stops reading leaves the message as it is: the other side may
 * still be told why.
 *
 * @param idleMs how long to wait for the next chunk.
 * @param signal ends the waiting, and all of it, at once.
 * @throws {Problem} `broken` when it stops in the middle; the signal's reason.
 */
export async function* pullBody(
  { prefix, rest }: LongBody,
  idleMs: number,
  broken: Break,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  for await (const chunk of prefix) {
    signal?.throwIfAborted()
    yield chunk
  }
  if (rest === undefined) return
  const { stream } = rest
  const watch = watchStream(stream, idleMs, signal)
  try {
    for (;;) {
      const chunk = stream.read() as Buffer | null
      if (chunk !== null) yield chunk
      else if (stream.readableEnded || stream.destroyed) break
      else await watch.next()
      signal?.throwIfAborted()
    }
    if (stream.errored !== null || !rest.complete()) {
      throw stream.errored ?? new Error('the connection was closed')
    }
  } catch (cause) {
    throw signal?.aborted ? cause : new Problem(broken.slug, broken.detail, { cause })
  } finally {
    watch.end()
  }
}

/** Waits for a stream; one that is waited for too long is destroyed. Node's own iterator cannot be left while it waits. */
function watchStream(stream: Readable, idleMs: number, signal: AbortSignal | undefined) {
  let wake = () => {}
  const onEvent = () => wake()
  const events = ['readable', 'end', 'close', 'error'] as const
  for (const event of events) stream.on(event, onEvent)
  signal?.addEventListener('abort', onEvent)
  return {
    next: async (): Promise<void> => {
      const stall = () => stream.destroy(new Error(`nothing came within ${idleMs} ms`))
      const timer = setTimeout(stall, idleMs)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
      clearTimeout(timer)
    },
    end: (): void => {
      for (const event of events) stream.off(event, onEvent)
      signal?.removeEventListener('abort', onEvent)
    },
  }
}

/** What is said of a side that is gone, or takes nothing more. */
export interface Gone extends Break {
  readonly stalled: ProblemSlug
}

/**
 * Writes a chunk and waits until more may be written.
 *
 * @param idleMs how long the other side may take nothing.
 * @param signal ends the waiting.
 * @throws {Problem} as `gone` says; the signal's reason.
 */
export function push(
  sink: Writable,
  chunk: Buffer,
  idleMs: number,
  { slug, stalled, detail }: Gone,
  signal?: AbortSignal,
): Promise<void> | undefined {
  signal?.throwIfAborted()
  if (sink.destroyed) throw new Problem(slug, detail)
  if (sink.write(chunk)) return undefined
  return new Promise((resolve, reject) => {
    const settle = (problem?: Problem) => {
      clearTimeout(timer)
      sink.off('drain', onDrain).off('close', onClose).off('error', onError)
      signal?.removeEventListener('abort', onAbort)
      if (problem === undefined) resolve()
      else reject(problem)
    }
    const onAbort = () => settle(signal?.reason as Problem)
    const onDrain = () => settle()
    const onClose = () => settle(new Problem(slug, detail))
    const onError = (cause: unknown) => settle(new Problem(slug, detail, { cause }))
    const onStall = () => settle(new Problem(stalled, `nothing was taken for ${idleMs} ms`))
    const timer = setTimeout(onStall, idleMs)
    sink.on('drain', onDrain).on('close', onClose).on('error', onError)
    signal?.addEventListener('abort', onAbort)
  })
}

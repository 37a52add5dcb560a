/** Bodies as they come over a connection, with a limit to waiting, and writing with back-pressure. @module */
import type { Writable } from 'node:stream'
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
 * @throws {Problem} `broken` when it stops in the middle.
 */
export async function* pullBody(
  { prefix, rest }: LongBody,
  idleMs: number,
  broken: Break,
): AsyncGenerator<Buffer> {
  yield* prefix
  if (rest === undefined) return
  const stall = () => rest.stream.destroy(new Error(`nothing came within ${idleMs} ms`))
  let timer = setTimeout(stall, idleMs)
  try {
    for await (const chunk of rest.stream.iterator({ destroyOnReturn: false })) {
      clearTimeout(timer)
      yield chunk as Buffer
      timer = setTimeout(stall, idleMs)
    }
    if (!rest.complete()) throw new Error('the connection was closed')
  } catch (cause) {
    throw new Problem(broken.slug, broken.detail, { cause })
  } finally {
    clearTimeout(timer)
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
 * @throws {Problem} as `gone` says.
 */
export function push(
  sink: Writable,
  chunk: Buffer,
  idleMs: number,
  { slug, stalled, detail }: Gone,
): Promise<void> | undefined {
  if (sink.destroyed) throw new Problem(slug, detail)
  if (sink.write(chunk)) return undefined
  return new Promise((resolve, reject) => {
    const settle = (problem?: Problem) => {
      clearTimeout(timer)
      sink.off('drain', onDrain).off('close', onClose).off('error', onError)
      if (problem === undefined) resolve()
      else reject(problem)
    }
    const onDrain = () => settle()
    const onClose = () => settle(new Problem(slug, detail))
    const onError = (cause: unknown) => settle(new Problem(slug, detail, { cause }))
    const onStall = () => settle(new Problem(stalled, `nothing was taken for ${idleMs} ms`))
    const timer = setTimeout(onStall, idleMs)
    sink.on('drain', onDrain).on('close', onClose).on('error', onError)
  })
}

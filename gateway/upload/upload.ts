/** One resumable upload: what came of a body so far, over any number of requests. @module */
import type { IncomingMessage } from 'node:http'
import type { Exchange, LongBody } from '../exchange.ts'
import type { DigestCheck } from '../signature/digest.ts'
import type { Spool } from '../stream/spool.ts'
import { startSweeping } from '../stream/sweep.ts'

type Known = Required<Pick<Exchange, 'head' | 'target' | 'caller' | 'recipient' | 'route'>>

/** The request that began it: the exchange is about that one once the body is whole. */
export type Begun = Known & Pick<Exchange, 'receivedUs' | 'method'>

/** An upload that may go on. */
export interface Upload {
  /** Nobody guesses it. */
  readonly id: string
  readonly begun: Begun
  readonly sizeMax: number
  /** The record that its end will leave; a new one after a relay that failed before it began. */
  rid: string
  /** Bytes of the whole, once its caller has told. */
  length: number | undefined
  /** Since when nothing can be added: it is being relayed. */
  completedUs: bigint | undefined
  /** Requests that brought something. */
  readonly parts: () => number
  readonly offset: () => number
  /**
   * Adds what comes; what came before an error stays, unless it counts `wholly` or not at all.
   *
   * @throws what the source throws, or `room`.
   */
  append(source: AsyncIterable<Buffer>, how: AppendOptions): Promise<void>
  /** Compares the whole with the `Repr-Digest` that it was begun with. @throws {Problem} `body-malformed` */
  check(): void
  /** All of it, in memory if it is short. */
  body(shortMax: number): Promise<Buffer | LongBody>
  /**
   * Waits for its turn, after breaking off a request whose body is still coming: that one must have
   * failed for its sender, who would not ask otherwise.
   *
   * @param request has the turn then.
   * @returns gives the turn on.
   */
  hold(request?: IncomingMessage): Promise<() => void>
  /** Forgets the body. */
  close(): Promise<void>
}

/** How a part is added. */
export interface AppendOptions {
  readonly wholly: boolean
  /** Told before a piece is added. @throws {Problem} when there is no room for it. */
  readonly room: (bytes: number) => void
  /** Told after. */
  readonly added: () => void
}

/** Makes one, empty. @param check what the whole is compared with. */
export function createUpload(
  spool: Spool,
  check: DigestCheck | undefined,
  about: Pick<Upload, 'id' | 'rid' | 'begun' | 'sizeMax' | 'length'>,
): Upload {
  let holder:
    { readonly request: IncomingMessage | undefined; readonly done: Promise<void> } | undefined
  let parts = 0
  return {
    ...about,
    completedUs: undefined,
    parts: () => parts,
    offset: spool.length,
    append: async (source, { wholly, room, added }) => {
      const start = spool.length()
      const sweep = startSweeping()
      const before = { undo: spool.mark(), check: check?.copy() }
      try {
        for await (const chunk of source) {
          room(chunk.length)
          await spool.write(chunk)
          check?.update(chunk)
          sweep(chunk.length)
          added()
        }
      } catch (error) {
        if (wholly) {
          before.undo()
          check = before.check
        }
        throw error
      } finally {
        if (spool.length() > start) parts++
      }
    },
    check: () => check?.copy().compare(),
    body: async (shortMax) => {
      const length = spool.length()
      if (length > shortMax) return { prefix: spool.read(), rest: undefined, length }
      const chunks: Buffer[] = []
      for await (const chunk of spool.read()) chunks.push(chunk)
      return Buffer.concat(chunks, length)
    },
    hold: async (request) => {
      while (holder !== undefined) {
        if (holder.request?.complete === false) holder.request.destroy()
        await holder.done
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      holder = { request, done: promise }
      return () => {
        holder = undefined
        resolve()
      }
    },
    close: () => spool.close(),
  }
}

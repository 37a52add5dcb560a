/** The body of a long answer, from a connection of the direct leg, with back-pressure. @module */
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { BodyRest } from '../exchange.ts'

/** A body that goes on coming. */
export interface AnswerTail {
  readonly rest: BodyRest
  /** Hands on what has come. @param last whether it is all. */
  feed(chunks: readonly Buffer[], last: boolean): void
  /** The connection is gone, or what came on it cannot be read. */
  fail(error: Error): void
}

/** Starts a tail; whoever gives it up gives up its connection. */
export function createAnswerTail(socket: Socket): AnswerTail {
  let complete = false
  const stream = new Readable({
    read: () => {
      socket.resume()
    },
    destroy: (error, done) => {
      if (!complete) socket.destroy()
      done(error)
    },
  })
  // Its reader may have gone: nothing that happens afterwards is anybody's error.
  stream.on('error', () => undefined)
  return {
    rest: { stream, complete: () => complete },
    feed: (chunks, last) => {
      let wanted = true
      for (const chunk of chunks) wanted = stream.push(chunk)
      if (!last) {
        if (!wanted) socket.pause()
        return
      }
      complete = true
      socket.resume() // For the next answer.
      stream.push(null)
    },
    fail: (error) => {
      if (!complete) stream.destroy(error)
    },
  }
}

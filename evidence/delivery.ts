/** Hands sealed records to the log, in order and at least once, for as long as it takes. @module */
import type { Sealed } from './chain.ts'
import { PERSIST_RECORDS_MAX, PERSIST_RETRY_MS_MAX, PERSIST_RETRY_MS_MIN } from './limits.ts'
import type { SealedRecord } from './record.ts'
import { createShelf, type PersistShelved, type Shelved } from './shelf.ts'

export interface DeliveryPorts {
  readonly persist: PersistShelved
  readonly alarm: (message: string, error?: unknown) => void
  /** Called with each batch once it is in the log. */
  readonly logged: (batch: readonly Delivered[]) => void
}

/** A record that is in the log. */
export type Delivered = Pick<Sealed, 'segment'> & Pick<SealedRecord, 'seq'>

export interface Delivery {
  /** In order of `seq`. */
  push(item: Sealed): void
  /** Tries what is left until it is in the log or an attempt fails; the journal keeps the rest. */
  stop(): Promise<void>
}

/** Starts with nothing to deliver. */
export function createDelivery(ports: DeliveryPorts): Delivery {
  const queue: (Shelved & Delivered)[] = []
  const shelf = createShelf()
  const pause = createPause()
  let running: Promise<void> | undefined
  const run = async () => {
    let retryMs = PERSIST_RETRY_MS_MIN
    await Promise.resolve() // Records that became durable together go together.
    while (queue.length > 0) {
      const batch = queue.slice(0, PERSIST_RECORDS_MAX)
      try {
        await ports.persist(batch)
      } catch (error) {
        ports.alarm(`the log took no records; ${queue.length} wait in the journal`, error)
        if (pause.ended()) break
        await pause.wait(retryMs)
        retryMs = Math.min(2 * retryMs, PERSIST_RETRY_MS_MAX)
        continue
      }
      retryMs = PERSIST_RETRY_MS_MIN
      for (const each of queue.splice(0, batch.length)) shelf.free(each)
      ports.logged(batch)
    }
    running = undefined
  }
  return {
    push: ({ record, segment }) => {
      queue.push({ ...shelf.put(record), seq: record.seq, segment })
      running ??= run()
    },
    stop: async () => {
      pause.end()
      await running
    },
  }
}

/** A pause between attempts that ends early, and for good, when the process stops. */
function createPause() {
  const { promise: end, resolve } = Promise.withResolvers<void>()
  let ended = false
  return {
    ended: () => ended,
    end: () => {
      ended = true
      resolve()
    },
    wait: async (ms: number) => {
      const { promise, resolve: done } = Promise.withResolvers<void>()
      const timer = setTimeout(done, ms)
      await Promise.race([promise, end])
      clearTimeout(timer)
    },
  }
}

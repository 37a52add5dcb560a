/** The log in a thread, as the gateway has it, with faults on demand. @module */
import { parentPort, workerData } from 'node:worker_threads'
import { Problem } from '../../base/problem.ts'
import { type LogPlaces, openLog } from '../../evidence/log/open.ts'
import { createEmbeddedPersist } from '../../workers/embedded.ts'
import { serveThread } from '../../workers/thread.ts'

/** What a test asks of the thread. */
export interface ThreadFault {
  readonly places: LogPlaces
  /** How it ends, and in which call: before the log takes the records, or just after. */
  readonly end?: { readonly how: keyof typeof ENDS; readonly call: number; readonly after: boolean }
  /** It cannot open the log. */
  readonly closed?: boolean
}

const ENDS = {
  exits: () => process.exit(3),
  throws: () => {
    setImmediate(() => {
      throw new Error('a bug')
    })
    return new Promise<void>(() => undefined)
  },
  'has no memory left': async () => {
    const kept: number[][] = []
    for (;;) kept.push(Array.from({ length: 100_000 }, Math.random))
  },
} as const

// INVARIANT: only tests start this module.
const { places, end, closed = false } = workerData as ThreadFault
if (parentPort !== null) {
  await serveThread(parentPort, async ({ alarm, witnessed }) => {
    if (closed) throw new Problem('key-unusable', 'the key is not there')
    alarm('the thread is open')
    witnessed({ size: 1, witnessed: 2, split: [] })
    const { persist, close } = createEmbeddedPersist(() => openLog(places))
    let call = 0
    return {
      close,
      persist: async (records) => {
        call += 1
        if (end?.call === call && !end.after) await ENDS[end.how]()
        await persist(records)
        if (end?.call === call) await ENDS[end.how]()
      },
    }
  })
}

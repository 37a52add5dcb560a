/** The log in service: pools what callers hand in into batches for the sequencer. @module */
import { Problem } from '../../base/problem.ts'
import type { SealedRecord } from '../record.ts'
import type { LogReader } from './reader.ts'
import type { Sequencer } from './sequencer.ts'
import { BATCH_RECORDS_MAX, BATCH_RECORDS_READY, BATCH_MS } from './limits.ts'

/** An open log. */
export interface Log {
  /**
   * Appends records, each exactly once, and gives their positions.
   *
   * @throws {Problem} `job-invalid` when one of them is refused (the others of the call are in),
   *   `log-unavailable` when the log must be opened again.
   */
  append(records: readonly SealedRecord[]): Promise<number[]>
  /** The newest published state. */
  reader(): LogReader
  /** Waits for what was handed in, then closes the stores. */
  close(): Promise<void>
}

interface Call {
  readonly records: readonly SealedRecord[]
  readonly resolve: (positions: number[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Pools calls. An idle log appends at once; a busy one lets calls gather while a batch is written;
 * small batches keep `batchMs` between their checkpoints.
 */
export function poolAppends(
  sequencer: Sequencer,
  closeStores: () => Promise<void>,
  batchMs: number = BATCH_MS,
): Log {
  const waiting: Call[] = []
  let lastMs = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  const schedule = (): void => {
    if (running !== undefined || waiting.length === 0) return
    const count = waiting.reduce((sum, call) => sum + call.records.length, 0)
    const waitMs = lastMs + batchMs - performance.now()
    if (count >= BATCH_RECORDS_READY || waitMs <= 0) start()
    else timer ??= setTimeout(start, waitMs)
  }
  const start = (): void => {
    clearTimeout(timer)
    timer = undefined
    lastMs = performance.now()
    running = runBatch(sequencer, takeCalls(waiting)).finally(() => {
      running = undefined
      schedule()
    })
  }
  return {
    append: (records) => {
      if (records.length > BATCH_RECORDS_MAX) {
        const detail = `expected at most ${BATCH_RECORDS_MAX} records, got ${records.length}`
        return Promise.reject(new Problem('job-invalid', detail))
      }
      return new Promise((resolve, reject) => {
        waiting.push({ records, resolve, reject })
        schedule()
      })
    },
    reader: () => sequencer.reader(),
    close: async () => {
      while (running !== undefined || waiting.length > 0) {
        if (running === undefined) start()
        await running
      }
      await closeStores()
    },
  }
}

function takeCalls(waiting: Call[]): Call[] {
  let [count, calls] = [0, 0]
  for (const { records } of waiting) {
    if (calls > 0 && count + records.length > BATCH_RECORDS_MAX) break
    count += records.length
    calls += 1
  }
  return waiting.splice(0, calls)
}

async function runBatch(sequencer: Sequencer, calls: readonly Call[]): Promise<void> {
  try {
    const positions = await sequencer.append(calls.flatMap(({ records }) => records))
    let at = 0
    for (const { records, resolve } of calls) {
      resolve(positions.slice(at, at + records.length))
      at += records.length
    }
  } catch (error) {
    const [first] = calls
    if (calls.length === 1) first?.reject(error)
    // One caller's bad record is not the others' failure: each call is judged alone.
    else for (const call of calls) await runBatch(sequencer, [call])
  }
}

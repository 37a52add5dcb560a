/** `sealgate worker`: takes batches from the queue into the log. Wiring only. @module */
import { UnrecoverableError, Worker } from 'bullmq'
import { Problem } from '../base/problem.ts'
import type { Persist } from '../evidence/record.ts'
import { type Alarm, connectRedis } from './connection.ts'
import { parseJob, RECORD_QUEUE } from './job.ts'
import { LOCK_MS } from './limits.ts'

export interface WorkerOptions {
  readonly alarm: Alarm
  /** Milliseconds after which a dead worker's job goes to another; renewed at half-life. */
  readonly lockMs?: number
}

/**
 * Starts the consumer. Jobs may arrive twice; the log keeps each record once.
 *
 * @param persist appends to the log: `createEmbeddedPersist`.
 */
export async function startPersistWorker(
  url: string,
  persist: Persist,
  { alarm, lockMs = LOCK_MS }: WorkerOptions,
): Promise<{ close(): Promise<void> }> {
  const connection = await connectRedis(url, alarm)
  const worker = new Worker<unknown, void>(RECORD_QUEUE, (job) => handle(persist, job.data), {
    connection: connection.client,
    concurrency: 1, // Per process. What keeps one sequencer is the compare-and-swap of the lock store.
    lockDuration: lockMs,
    stalledInterval: lockMs,
    // A worker that dies is no fault of the batch; evidence is never given up.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
  })
  worker.on('error', (error) => alarm('record worker', error))
  worker.on('failed', (job, error) => alarm(`batch ${job?.id ?? 'unknown'}`, error))
  await worker.waitUntilReady()
  return {
    close: async () => {
      await worker.close()
      await connection.close()
    },
  }
}

/** @throws {UnrecoverableError} when a retry cannot succeed; BullMQ retries any other error. */
async function handle(persist: Persist, data: unknown): Promise<void> {
  try {
    await persist(parseJob(data))
  } catch (error) {
    if (error instanceof Problem && error.slug === 'job-invalid') {
      throw new UnrecoverableError(`${error.slug}: ${error.message}`)
    }
    throw error
  }
}

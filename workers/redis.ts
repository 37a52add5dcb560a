/** `queue: redis://…`, the gateway's side: hands batches to BullMQ and waits for the worker. @module */
import { setTimeout } from 'node:timers/promises'
import { Job, Queue, QueueEvents } from 'bullmq'
import { Problem } from '../base/problem.ts'
import type { SealedRecord } from '../evidence/record.ts'
import { type Alarm, connectRedis } from './connection.ts'
import type { Persister } from './embedded.ts'
import { jobId, makeJob, RECORD_QUEUE, type RecordJob } from './job.ts'
import { PERSIST_TIMEOUT_MS, WAIT_MS, PAUSE_MS, KEEP_COMPLETED, RETRY_MS } from './limits.ts'

export interface RedisPersistOptions {
  readonly alarm: Alarm
  /** Milliseconds after which `persist` gives up; the journal then hands the batch in again. */
  readonly timeoutMs?: number
}

/**
 * Connects to the queue.
 *
 * `persist` resolves only when the worker has appended the whole batch; it is safe to repeat.
 *
 * @throws {Problem} `log-unavailable` when Redis does not answer at the start.
 */
export async function createRedisPersist(
  url: string,
  { alarm, timeoutMs = PERSIST_TIMEOUT_MS }: RedisPersistOptions,
): Promise<Persister> {
  const connection = await connectRedis(url, alarm)
  const queue = new Queue<RecordJob, void, string>(RECORD_QUEUE, { connection: connection.client })
  const events = new QueueEvents(RECORD_QUEUE, { connection: connection.client })
  queue.on('error', (error) => alarm('record queue', error))
  events.on('error', (error) => alarm('record queue events', error))
  return {
    persist: async (records) => {
      if (records.length === 0) return
      const deadlineMs = performance.now() + timeoutMs
      while (performance.now() < deadlineMs) {
        if (await driveOnce(queue, events, records, alarm)) return
        await setTimeout(PAUSE_MS)
      }
      throw new Problem('log-unavailable', `no worker appended the batch within ${timeoutMs} ms`)
    },
    close: async () => {
      await Promise.allSettled([events.close(), queue.close()])
      await connection.close()
    },
  }
}

/** Adds the job unless it is there, and waits a while. @returns whether the batch is in the log. */
async function driveOnce(
  queue: Queue<RecordJob, void, string>,
  events: QueueEvents,
  records: readonly SealedRecord[],
  alarm: Alarm,
): Promise<boolean> {
  try {
    const id = jobId(records)
    const job = await within(
      queue.add('append', makeJob(records), {
        jobId: id,
        attempts: Number.MAX_SAFE_INTEGER,
        backoff: { type: 'fixed', delay: RETRY_MS },
        removeOnComplete: KEEP_COMPLETED,
      }),
    )
    const waited = await within(job.waitUntilFinished(events, WAIT_MS).then(done, failed))
    if (waited) return true
    const seen = await within(Job.fromId(queue, id))
    const reason = seen?.failedReason ?? ''
    if (seen === undefined || !(await within(seen.isFailed()))) return false
    // A failed job would block its id: take it away before anybody hands the batch in again.
    await within(seen.remove())
    if (reason.startsWith('job-invalid: ')) {
      throw new Problem('job-invalid', reason.slice('job-invalid: '.length))
    }
    return false
  } catch (error) {
    if (error instanceof Problem && !error.retry) throw error
    alarm('record queue', error)
    return false
  }
}

const done = (): boolean => true
/** Timed out, failed, or gone: the job's own state, read next, tells which. */
const failed = (): boolean => false

/** Bounds a command: while Redis is away, node-redis holds commands back without end. */
async function within<Result>(work: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = globalThis.setTimeout(
    () => reject(new Problem('log-unavailable', 'the queue does not answer')),
    WAIT_MS * 2,
  )
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

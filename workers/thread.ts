/**
 * A persister in a thread of its own: what a batch costs the log holds up no relay. Records go over as
 * they are sealed; the thread answers each call when it is done with it. @module
 */
import type { MessagePort, Worker } from 'node:worker_threads'
import { Problem, type ProblemSlug } from '../base/problem.ts'
import type { SealedRecord } from '../evidence/record.ts'
import { readShelved, type Shelved } from '../evidence/shelf.ts'
import type { Persister } from './embedded.ts'
import { THREAD_RESTART_MS_MAX, THREAD_RESTART_MS_MIN } from './limits.ts'
import type { WitnessStatus } from './witness.ts'

/** What the thread tells besides its answers. */
export interface ThreadEvents {
  readonly alarm: (message: string, error?: unknown) => void
  readonly witnessed: (status: WitnessStatus) => void
}

export interface ThreadPorts extends ThreadEvents {
  /** Starts a thread that ends in `serveThread`. */
  readonly start: () => Worker
}

/** Records from a shelf of the process, or from elsewhere. */
type Handed = readonly (SealedRecord | Shelved)[]

type Order = { readonly id: number; readonly records: Handed } | 'close'

type Report =
  | { readonly is: 'ready' }
  | { readonly is: 'failed'; readonly error: PlainError }
  | { readonly is: 'done'; readonly id: number; readonly error?: PlainError }
  | { readonly is: 'alarm'; readonly message: string; readonly error?: PlainError }
  | { readonly is: 'witnessed'; readonly status: WitnessStatus }

/** Between threads an error keeps its text and stack, but not its class. */
interface PlainError {
  readonly error: unknown
  readonly slug?: ProblemSlug
}

/** A persister that takes both sorts of records. */
export interface ThreadPersister extends Pick<Persister, 'close'> {
  readonly persist: (records: Handed) => Promise<void>
}

/** A thread, from its start to its end. */
interface Running {
  readonly worker: Worker
  readonly calls: Map<number, PromiseWithResolvers<void>>
  /** Resolves when it takes records; rejects with why it never did. */
  readonly ready: Promise<void>
  readonly ended: Promise<void>
}

/**
 * Starts the thread and keeps it running: one that ends is started again, after a pause that grows.
 * Its calls fail then, and whoever made them hands their records in again.
 *
 * @throws what the first start failed with.
 */
export async function startThread(ports: ThreadPorts): Promise<ThreadPersister> {
  let [closing, pauseMs] = [false, THREAD_RESTART_MS_MIN]
  let again: NodeJS.Timeout | undefined
  let current: Running | undefined
  const launch = async (): Promise<void> => {
    const running = run(ports)
    current = running
    const ended = running.ended.then(() => {
      current = undefined
    })
    await running.ready
    pauseMs = THREAD_RESTART_MS_MIN
    void ended.then(restart)
  }
  const restart = (error?: unknown): void => {
    if (closing) return
    ports.alarm(`the log's thread has ended; it starts again in ${pauseMs} ms`, error)
    again = setTimeout(() => void launch().catch(restart), pauseMs)
    pauseMs = Math.min(2 * pauseMs, THREAD_RESTART_MS_MAX)
  }
  await launch()
  let last = 0
  return {
    persist: (records) => {
      if (current === undefined) return Promise.reject(gone())
      const call = Promise.withResolvers<void>()
      last += 1
      current.calls.set(last, call)
      current.worker.postMessage({ id: last, records } satisfies Order)
      return call.promise
    },
    close: async () => {
      closing = true
      clearTimeout(again)
      current?.worker.postMessage('close' satisfies Order)
      await current?.ended
    },
  }
}

function run({ start, alarm, witnessed }: ThreadPorts): Running {
  const worker = start()
  const calls: Running['calls'] = new Map()
  const [ready, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  worker.on('message', (report: Report) => {
    if (report.is === 'ready') ready.resolve()
    else if (report.is === 'failed') ready.reject(toError(report.error))
    else if (report.is === 'alarm') alarm(report.message, report.error && toError(report.error))
    else if (report.is === 'witnessed') witnessed(report.status)
    else {
      const call = calls.get(report.id)
      calls.delete(report.id)
      if (report.error === undefined) call?.resolve()
      else call?.reject(toError(report.error))
    }
  })
  worker.on('error', (error) => alarm("an error ended the log's thread", error))
  worker.once('exit', () => {
    ready.reject(gone())
    for (const call of calls.values()) call.reject(gone())
    ended.resolve()
  })
  return { worker, calls, ready: ready.promise, ended: ended.promise }
}

function gone(): Problem {
  return new Problem('log-unavailable', "the log's thread has ended")
}

/**
 * The thread's side: opens the persister and serves it until told to close; then the thread ends.
 *
 * @param open makes the persister; what it throws goes to who started the thread.
 */
export async function serveThread(
  port: MessagePort,
  open: (events: ThreadEvents) => Promise<Persister>,
): Promise<void> {
  const tell = (report: Report): void => port.postMessage(report)
  const events: ThreadEvents = {
    alarm: (message, error) =>
      tell({ is: 'alarm', message, ...(error === undefined ? {} : { error: toPlain(error) }) }),
    witnessed: (status) => tell({ is: 'witnessed', status }),
  }
  let persister: Persister
  try {
    persister = await open(events)
  } catch (error) {
    tell({ is: 'failed', error: toPlain(error) })
    process.exit(1)
  }
  port.on('message', (order: Order) => {
    if (order === 'close') {
      persister
        .close()
        .catch((error: unknown) => events.alarm('the log could not be closed', error))
        // Whatever it left open may not keep the thread.
        .finally(() => process.exit(0))
      return
    }
    const { id, records } = order
    persister.persist(records.map(toRecord)).then(
      () => tell({ is: 'done', id }),
      (error: unknown) => tell({ is: 'done', id, error: toPlain(error) }),
    )
  })
  tell({ is: 'ready' })
}

function toRecord(record: SealedRecord | Shelved): SealedRecord {
  return 'board' in record ? readShelved(record) : record
}

function toPlain(error: unknown): PlainError {
  return error instanceof Problem ? { error, slug: error.slug } : { error }
}

function toError({ error, slug }: PlainError): unknown {
  if (slug === undefined || !(error instanceof Error)) return error
  return new Problem(slug, error.message, { cause: error.cause })
}

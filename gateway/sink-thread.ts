/** The log's thread: see sink.ts, workers/thread.ts. @module */
import { constants, getPriority, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { THREAD_NICENESS } from '../workers/limits.ts'
import { serveThread } from '../workers/thread.ts'
import type { Config } from './config.ts'
import { openSink } from './sink.ts'

// On Linux 0 is the calling thread; elsewhere it would be the process (setpriority(2), "C library/kernel differences").
if (process.platform === 'linux')
  setPriority(0, Math.min(constants.priority.PRIORITY_LOW, getPriority(0) + THREAD_NICENESS))
// INVARIANT: evidence.ts starts this module, with a configuration.
if (parentPort !== null)
  await serveThread(parentPort, (events) => openSink(workerData as Config, events))

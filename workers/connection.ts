/** Connections to Redis for BullMQ, over node-redis. @module */
import { createNodeRedisClient } from 'bullmq'
import { createClient } from 'redis'
import { Problem } from '../base/problem.ts'
import { CONNECT_TIMEOUT_MS, RECONNECT_MS_MAX } from './limits.ts'

/** Told of every fault that is being retried. The message holds no value and no credentials. */
export type Alarm = (message: string, error: unknown) => void

/** One connection; BullMQ duplicates it for its blocking reads, and never closes it for us. */
export interface Connection {
  readonly client: ReturnType<typeof createNodeRedisClient>
  close(): Promise<void>
}

/** @throws {Problem} `log-unavailable` when the server cannot be reached in `CONNECT_TIMEOUT_MS`. */
export async function connectRedis(url: string, alarm: Alarm): Promise<Connection> {
  let connected = false
  const raw = createClient({
    url,
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      // A wrong address is told at the start; a server that was there comes back.
      reconnectStrategy: (retries) =>
        connected && Math.min(50 * 2 ** Math.min(retries, 10), RECONNECT_MS_MAX),
    },
  })
  // Without a listener a lost connection is an uncaught exception.
  raw.on('error', (error: unknown) => alarm('redis connection', error))
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('timed out')), CONNECT_TIMEOUT_MS)
  try {
    await Promise.race([raw.connect(), late])
    connected = true
  } catch (cause) {
    if (raw.isOpen) raw.destroy()
    throw new Problem('log-unavailable', 'the Redis server of the queue does not answer', { cause })
  } finally {
    clearTimeout(timer)
  }
  return {
    client: createNodeRedisClient(raw),
    close: async () => {
      // Closing a client that is reconnecting would wait for the server; nothing is left to send.
      if (raw.isReady) await raw.close()
      else raw.destroy()
    },
  }
}

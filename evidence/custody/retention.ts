/** The retention job: custody forgets by itself what nobody may keep any longer. @module */
import { toTimestamp, type Clock } from '../../base/clock.ts'
import { RETENTION_INTERVAL_MS } from '../limits.ts'
import { eraseExpired, type KeeperPorts } from './custody.ts'

/** A job under way. */
export interface RetentionJob {
  /** Waits for a run that has begun; no further one begins. */
  stop(): Promise<void>
}

/** Erases at once, and then every hour, what has outlived its retention; days are those of UTC. */
export function startRetention(
  ports: KeeperPorts & {
    readonly clock: Clock
    readonly alarm: (message: string, error?: unknown) => void
  },
): RetentionJob {
  let running: Promise<void> | undefined
  const run = async () => {
    try {
      await eraseExpired(ports, toTimestamp(ports.clock.wallUs()).slice(0, 10))
    } catch (error) {
      ports.alarm('custody could not be cleared of what has outlived its retention', error)
    }
    running = undefined
  }
  const start = () => {
    running ??= run()
  }
  start()
  const timer = setInterval(start, RETENTION_INTERVAL_MS)
  timer.unref() // The job alone keeps no process alive.
  return {
    stop: async () => {
      clearInterval(timer)
      await running
    },
  }
}

/** The long bodies that are under way: how many may be, and how far each is. @module */
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import type { Progress } from './passage.ts'

/** One long body, one that comes over several requests, or a file. Nothing in it comes from a message. */
export interface TransferInfo {
  /** The exchange's record. */
  readonly record: string
  readonly direction: 'request' | 'response' | 'upload' | 'file'
  readonly caller: string
  readonly recipient: string
  readonly route: string
  /** Bytes as they come, when the sender said how many. */
  readonly total: number | undefined
}

/** One long body under way, as operators see it. */
export interface TransferStatus extends Omit<TransferInfo, 'total'>, Progress {
  readonly seconds: number
  /** As they come, since the start. */
  readonly bytesPerSecond: number
  readonly rowsPerSecond: number
  /** Bytes that are still to come, and how long that takes at this rate; absent when nobody knows. */
  readonly remainingBytes?: number
  readonly remainingSeconds?: number
}

/** All long bodies. */
export interface Transfers {
  /**
   * Takes one of the places.
   *
   * @returns gives the place back.
   * @throws {Problem} `overloaded`
   */
  begin(info: TransferInfo, progress: () => Progress): () => void
  list(): readonly TransferStatus[]
  /** Sums over all that ended, by direction. */
  readonly finished: () => Readonly<Record<TransferInfo['direction'], Totals>>
}

/** What went through. */
export interface Totals {
  readonly bodies: number
  readonly received: number
  readonly forwarded: number
  readonly rows: number
}

interface Running {
  readonly info: TransferInfo
  readonly progress: () => Progress
  readonly startedUs: bigint
}

const NONE: Totals = { bodies: 0, received: 0, forwarded: 0, rows: 0 }

/** @param max long bodies that are relayed at a time; uploads have places of their own. */
export function createTransfers(clock: Clock, max: number): Transfers {
  const running = new Set<Running>()
  const finished = { request: NONE, response: NONE, upload: NONE, file: NONE }
  return {
    begin: (info, progress) => {
      const relayed = [...running].filter((one) => one.info.direction !== 'upload')
      if (info.direction !== 'upload' && relayed.length >= max)
        throw new Problem('overloaded', 'too many long bodies are under way')
      const one = { info, progress, startedUs: clock.wallUs() }
      running.add(one)
      return () => {
        if (!running.delete(one)) return
        finished[info.direction] = sum(finished[info.direction], { bodies: 1, ...progress() })
      }
    },
    list: () => [...running].map((one) => statusOf(one, clock.wallUs())),
    finished: () => finished,
  }
}

function sum(a: Totals, b: Totals): Totals {
  return {
    bodies: a.bodies + b.bodies,
    received: a.received + b.received,
    forwarded: a.forwarded + b.forwarded,
    rows: a.rows + b.rows,
  }
}

function statusOf({ info, progress, startedUs }: Running, nowUs: bigint): TransferStatus {
  const { total, ...named } = info
  const done = progress()
  const seconds = Math.max(Number(nowUs - startedUs) / 1e6, 0.001)
  const bytesPerSecond = Math.round(done.received / seconds)
  const remainingBytes = total === undefined ? undefined : Math.max(0, total - done.received)
  return {
    ...named,
    ...done,
    seconds: Math.round(seconds * 1000) / 1000,
    bytesPerSecond,
    rowsPerSecond: Math.round(done.rows / seconds),
    ...(remainingBytes === undefined ? {} : { remainingBytes }),
    ...(remainingBytes === undefined || bytesPerSecond === 0
      ? {}
      : { remainingSeconds: Math.round(remainingBytes / bytesPerSecond) }),
  }
}

/** Tells what happens at a desk, in the file that status.ts reads. @module */
import { renameSync, writeFileSync } from 'node:fs'
import { type Clock, toDate } from '../../base/clock.ts'
import type { Progress } from '../stream/passage.ts'
import { createTransfers, type TransferInfo } from '../stream/transfers.ts'
import { STATUS_MS } from './limits.ts'
import type { FileReport } from './state.ts'
import { type Count, COUNTS, type DeskStatus, formatStatus, statusFile } from './status.ts'

/** See above. */
export interface DeskTeller {
  /** A file is under way. @returns says that it no longer is. */
  begin(info: Omit<TransferInfo, 'direction'>, progress: () => Progress): () => void
  ended(report: FileReport): void
  /** What lies in the drop folder. */
  waiting(whole: number, incomplete: number): void
  /** The command ends. */
  close(): void
}

/** What a teller needs. */
export interface TellerPorts {
  readonly clock: Clock
  readonly policy: string
  /** Told once when the file cannot be written; the files go on. */
  readonly alarm: (message: string, error: unknown) => void
}

/** Starts to tell. @param folder of the desk. */
export function openTeller(folder: string, { clock, policy, alarm }: TellerPorts): DeskTeller {
  const path = statusFile(folder)
  const now = () => toDate(clock.wallUs()).toISOString()
  const transfers = createTransfers(clock, 1)
  const counts = Object.fromEntries(COUNTS.map((name) => [name, 0])) as Record<Count, number>
  const since = now()
  let lasting: Pick<DeskStatus, 'last' | 'deliveredAt'> = {}
  let failed = false
  const write = (stopped = false) => {
    const list = transfers.list()
    const state = stopped ? 'stopped' : list.length === 0 ? 'idle' : 'working'
    const status = { policy, state, since, seen: now(), ...counts, ...lasting, transfers: list } as const // prettier-ignore
    try {
      // A reader finds the one or the other, never half of it. After a power cut there is nothing to tell.
      writeFileSync(`${path}.part`, formatStatus(status), { mode: 0o600 })
      renameSync(`${path}.part`, path)
    } catch (error) {
      if (!failed) alarm('the status of the desk cannot be written', error)
      failed = true
    }
  }
  write()
  const timer = setInterval(write, STATUS_MS).unref()
  return {
    begin: (info, progress) => transfers.begin({ ...info, direction: 'file' }, progress),
    ended: ({ record, result, rows = 0, bytesReceived, bytesForwarded, problem }) => {
      const at = now()
      const last = { record, result, at, ...(problem === undefined ? {} : { problem }) }
      lasting = result === 'delivered' ? { last, deliveredAt: at } : { ...lasting, last }
      counts[result]++
      if (result === 'delivered') {
        counts.rows += rows
        counts.received += bytesReceived
        counts.forwarded += bytesForwarded
      }
      write()
    },
    waiting: (whole, incomplete) => {
      counts.waiting = whole
      counts.incomplete = incomplete
    },
    close: () => {
      clearInterval(timer)
      write(true)
    },
  }
}

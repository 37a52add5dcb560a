/**
 * What a desk is doing, as the running gateway reads it: `sealgate file` is a process of its own. No name of a file
 * stands there, nor anything else of a message; what matters for evidence is elsewhere. @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { TransferStatus } from '../stream/transfers.ts'
import { LOST_MS } from './limits.ts'
import type { FileReport } from './state.ts'

/** What one desk did since its command started, and does now. */
export interface DeskStatus extends Readonly<Record<Count, number>> {
  readonly policy: string
  /** `lost`: it ended without saying so, or hangs. */
  readonly state: 'working' | 'idle' | 'stopped' | 'lost'
  /** RFC 3339: since when it runs, and when it last gave a sign of life. */
  readonly since: string
  readonly seen: string
  readonly last?: LastFile
  /** When the last file was delivered. */
  readonly deliveredAt?: string
  readonly transfers: readonly TransferStatus[]
}

/**
 * Files that are whole and wait, and files that wait for a companion; files by what became of them; rows and bytes
 * of those that were delivered.
 */
export const COUNTS = ['waiting', 'incomplete', 'delivered', 'refused', 'rows', 'received', 'forwarded'] as const // prettier-ignore
/** One of COUNTS. */
export type Count = (typeof COUNTS)[number]

/** The file that was decided last. */
export interface LastFile {
  readonly record: string
  readonly result: FileReport['result']
  readonly at: string
  readonly problem?: string
}

/** Where a desk tells its status. @param folder of the desk. */
export function statusFile(folder: string): string {
  return join(folder, 'status.json')
}

/** The folder of a policy's desk. */
export function deskFolder(data: string, policy: string): string {
  return join(data, 'files', policy)
}

/** Reads what all desks of an installation tell. @param data its folder. */
export function readDesks(data: string, clock: Clock): readonly DeskStatus[] {
  const policies = orNone(() => readdirSync(join(data, 'files'))) ?? []
  const nowMs = Number(clock.wallUs() / 1000n)
  return policies.toSorted().flatMap((policy) => {
    const text = orNone(() => readFileSync(statusFile(deskFolder(data, policy)), 'utf8'))
    const status = text === undefined ? undefined : parseStatus(text)
    if (status === undefined) return []
    const isSeen = nowMs - Date.parse(status.seen) < LOST_MS
    return [
      isSeen || status.state === 'stopped' ? status : { ...status, state: 'lost', transfers: [] },
    ]
  })
}

/** Writes the file's text. */
export function formatStatus(status: DeskStatus): string {
  return JSON.stringify({ v: 1, ...status })
}

/** What is no status of this version is none. */
function parseStatus(text: string): DeskStatus | undefined {
  const members = orNone(() => JSON.parse(text) as Readonly<Record<string, unknown>>)
  if (typeof members !== 'object' || members === null) return undefined
  const { v, ...status } = members
  const { policy, transfers } = status
  const isWhole = v === 1 && typeof policy === 'string' && Array.isArray(transfers)
  // INVARIANT: the folder is the installation's own, and this version of the command writes what is typed here.
  const isStatus = isWhole && COUNTS.every((name) => Number.isSafeInteger(status[name]))
  return isStatus ? (status as unknown as DeskStatus) : undefined
}

/** A desk that cannot be read must not hide the others. */
function orNone<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (error instanceof SyntaxError || /^(?:ENOENT|ENOTDIR|EACCES)$/.test(code)) return undefined
    throw error
  }
}

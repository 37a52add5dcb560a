/** Watches the machine's clock, and seals what it sees once a minute as a `clock` record. @module */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { watchDrift } from '../evidence/timestamp/drift.ts'

const INTERVAL_MS = 60_000
const COMMAND_TIMEOUT_MS = 5000
const COMMAND_BYTES_MAX = 16_384
/** A clock that may be further off than this says nothing useful about the order of events. */
const ERROR_US_MAX = 1_000_000

/** What a time service says about the clock. */
export interface ClockState {
  /** `chrony`, `systemd` (synchronised or not, no numbers), or `none`: nobody knows. */
  readonly source: 'chrony' | 'systemd' | 'none'
  readonly synced: boolean
  readonly offsetUs?: number
  /** Largest possible error: offset, half of the root delay, and root dispersion. */
  readonly errorUs?: number
  /** `sha256:<hex>` of what the service printed. */
  readonly output?: string
}

/** Runs a command; undefined when it is not there or fails. */
export type RunCommand = (command: string, args: readonly string[]) => Promise<string | undefined>

/** What the watch needs. */
export interface ClockPorts {
  readonly clock: Clock
  readonly run: RunCommand
  /** Seals a `clock` record. */
  readonly note: (facts: Readonly<Record<string, string | number | boolean>>) => Promise<unknown>
  /** Logger port. Called when the clock leaves its limits. */
  readonly alarm: (message: string, error?: unknown) => void
}

/** A running watch. */
export interface ClockWatch {
  /** False once the clock was set, and while its error is beyond a second: seal nothing then. */
  withinLimits(): boolean
  /** What the time service said last. */
  state(): ClockState
  close(): Promise<void>
}

/** Begins to watch; resolves after the first record. */
export async function startClockWatch(ports: ClockPorts): Promise<ClockWatch> {
  const drift = watchDrift(ports.clock)
  let good = true
  let state: ClockState
  const look = async (): Promise<void> => {
    state = await readClockState(ports.run)
    const { driftUs, jumped } = drift()
    const why = jumped
      ? 'it was set'
      : (state.errorUs ?? 0) > ERROR_US_MAX
        ? 'its error is over 1 s'
        : ''
    if (why !== '' && good) ports.alarm(`the clock is beyond its limits: ${why}`)
    good ||= why === ''
    try {
      // The record that tells of a bad clock is the last one until the clock is good again.
      if (good) await ports.note({ ...state, driftUs: Number(driftUs), jumped })
    } catch (error) {
      ports.alarm('the clock record could not be sealed', error)
    }
    good = why === ''
  }
  await look()
  const stop = new AbortController()
  const loop = repeat(look, stop.signal)
  return {
    withinLimits: () => good && !drift().jumped,
    state: () => state,
    close: async () => {
      stop.abort()
      await loop
    },
  }
}

/** Asks chrony, then systemd. Never rejects: not to know is an answer, and is sealed as such. */
export async function readClockState(run: RunCommand): Promise<ClockState> {
  const tracking = await run('chronyc', ['-c', 'tracking'])
  const chrony = tracking === undefined ? undefined : parseTracking(tracking)
  if (chrony !== undefined) return chrony
  const text = await run('timedatectl', ['show', '--property=NTPSynchronized', '--value'])
  const answer = text?.trim()
  if (text === undefined || (answer !== 'yes' && answer !== 'no'))
    return { source: 'none', synced: false }
  return { source: 'systemd', synced: answer === 'yes', output: digest(text) }
}

/** `chronyc -c tracking`: one line of 14 fields; seconds as decimals. */
function parseTracking(text: string): ClockState | undefined {
  const fields = text.trim().split(',')
  const microseconds = (index: number): number => Math.round(Number(fields[index]) * 1_000_000)
  const [offsetUs, delayUs, dispersionUs] = [microseconds(4), microseconds(10), microseconds(11)]
  if (fields.length !== 14 || ![offsetUs, delayUs, dispersionUs].every(Number.isSafeInteger)) {
    return undefined
  }
  return {
    source: 'chrony',
    synced: fields[13] !== 'Not synchronised',
    offsetUs,
    errorUs: Math.abs(offsetUs) + Math.ceil(delayUs / 2) + dispersionUs,
    output: digest(text),
  }
}

/** Runs a command of this machine. */
export const runCommand: RunCommand = (command, args) =>
  new Promise((resolve) => {
    const options = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: COMMAND_BYTES_MAX }
    execFile(command, [...args], options, (error, stdout) => resolve(error ? undefined : stdout))
  })

async function repeat(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sleep(INTERVAL_MS, undefined, { signal, ref: false })
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    await look()
  }
}

function digest(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

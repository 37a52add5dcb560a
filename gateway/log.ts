/** The operator's log (pino, JSON lines): slugs, ids and counts; no header, URL or body, ever. @module */
import { type Logger, pino } from 'pino'

export type { Logger } from 'pino'

/** Logs to stdout. */
export function createLogger(level = 'info'): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
}

/** What may be logged of an error that is a bug: its message may quote what was being parsed. */
export function describeBug(error: unknown): {
  readonly name: string
  readonly at: readonly string[]
} {
  if (!(error instanceof Error)) return { name: typeof error, at: [] }
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return { name: error.name, at: frames.slice(0, 8).map((line) => line.trim()) }
}

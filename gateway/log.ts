/** The operator's log (pino, JSON lines): slugs, ids and counts; no header, URL or body, ever. @module */
import { type Logger, pino } from 'pino'
import { Problem } from '../base/problem.ts'

export type { Logger } from 'pino'

/** Logs to stdout. */
export function createLogger(level = 'info'): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
}

/** What may be logged of an error: only a Problem's text is known to hold no value. */
export function describeError(error: unknown): object | undefined {
  if (error === undefined) return undefined
  if (error instanceof Problem) return { slug: error.slug, detail: error.message }
  if (!(error instanceof Error)) return { name: typeof error }
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  const { code } = error as NodeJS.ErrnoException
  return { name: error.name, code, at: frames.slice(0, 8).map((line) => line.trim()) }
}

/** Dates as the texts of loan messages write them. @module */
import type { Clock } from '../../base/clock.ts'

const DAY_MS = 86_400_000
const CHINA_OFFSET_US = 8n * 3600n * 1_000_000n

/** A calendar date at the beginning of a text, and what follows it, such as a time of day. */
export interface DateText {
  readonly year: number
  readonly month: number
  readonly day: number
  /** `-`, `/`, `.` or nothing. */
  readonly separator: string
  readonly rest: string
}

const DATE = /^(\d{4})([-/.]?)(\d{2})\2(\d{2})(?!\d)(.*)$/s

/** Reads `1990-01-31`, `1990/01/31`, `1990.01.31` or `19900131`, also before a time of day. */
export function parseDate(text: string): DateText | undefined {
  const [, years, separator = '', months, days, rest = ''] = DATE.exec(text) ?? []
  const [year, month, day] = [Number(years), Number(months), Number(days)]
  const date = new Date(Date.UTC(year, month - 1, day))
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1) return undefined
  return date.getUTCDate() === day ? { year, month, day, separator, rest } : undefined
}

/** Moves a date by whole days; spelling and time of day stay. */
export function shiftDate({ year, month, day, separator, rest }: DateText, days: number): string {
  const shifted = new Date(Date.UTC(year, month - 1, day) + days * DAY_MS).toISOString()
  return shifted.slice(0, 10).replaceAll('-', separator) + rest
}

/** Today's date in China, `YYYY-MM-DD`. */
export function todayInChina(clock: Clock): string {
  return new Date(Number((clock.wallUs() + CHINA_OFFSET_US) / 1000n)).toISOString().slice(0, 10)
}

/** Completed years from one date to another, both `YYYY-MM-DD`; negative when the birth lies ahead. */
export function ageAt(birthDate: string, today: string): number {
  const years = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4))
  return today.slice(5) < birthDate.slice(5) ? years - 1 : years
}

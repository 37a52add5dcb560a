/**
 * Names of the logs of one line: a new one each half-year, `evidence.example.com/evr/2026h2`, and one
 * with a number after a history that could not go on, `…/2026h2.2`. Pure. @module
 */
import { renameVerifier, type Verifier } from './note.ts'

const NAME = /^(\d{4})h([12])(?:\.([2-9]|[1-9]\d{1,3}))?$/

/** The log of a time (UTC): `2026h1` is January to June. */
export function logName(timeUs: bigint): string {
  const time = new Date(Number(timeUs / 1000n))
  return `${time.getUTCFullYear()}h${time.getUTCMonth() < 6 ? 1 : 2}`
}

/** The half-year of a log's name: `2026h2` of `2026h2.3`. */
export function halfYear(name: string): string {
  return name.split('.')[0] ?? name
}

/** What follows a log that cannot go on within its half-year. */
export function successorName(name: string): string {
  return `${halfYear(name)}.${numberOf(name) + 1}`
}

/** Whether a text is the name of a log. */
export function isLogName(text: string): boolean {
  return NAME.test(text)
}

/** Orders names as their logs follow each other. */
export function compareNames(a: string, b: string): number {
  const [first, second] = [halfYear(a), halfYear(b)]
  return first === second ? numberOf(a) - numberOf(b) : first < second ? -1 : 1
}

/**
 * The keys that sign for a log: those of its own name, and those of its line, which speak for every
 * log in it. So a key that somebody trusts need not be handed over anew each half-year.
 */
export function keysOf(keys: readonly Verifier[], origin: string): Verifier[] {
  const end = origin.lastIndexOf('/')
  const line = isLogName(origin.slice(end + 1)) ? origin.slice(0, end) : undefined
  return keys.flatMap((key) => {
    if (key.name === origin) return [key]
    return key.name === line ? [renameVerifier(key, origin)] : []
  })
}

function numberOf(name: string): number {
  return Number(NAME.exec(name)?.[3] ?? 1)
}

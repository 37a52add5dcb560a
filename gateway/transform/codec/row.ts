/** Problems of one row: told with its place, as 422. @module */
import { Problem } from '../../../base/problem.ts'

/** Where a row or a cell stands; rows and columns count from 1. */
export function placeOfRow(row: number, column?: number): string {
  return column === undefined ? `row ${row}` : `row ${row}, column ${column}`
}

/** Tells that a row cannot be read. */
export function badRow(place: string, reason: string): Problem {
  return new Problem('row-invalid', `${place}: ${reason}`)
}

/** Gives what went wrong inside a row its place; what is no Problem is a bug and stays as it is. */
export function inPlace(error: unknown, place: string): unknown {
  if (!(error instanceof Problem) || OF_ROWS.has(error.slug)) return error
  const slug = error.slug === 'body-malformed' ? 'row-invalid' : error.slug
  return new Problem(slug, `${place}: ${error.message}`, { cause: error })
}

/** Problems that name a place already. */
const OF_ROWS: ReadonlySet<string> = new Set(['row-invalid', 'totals-wrong'])

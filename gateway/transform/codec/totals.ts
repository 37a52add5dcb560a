/** Counts rows and adds their amounts up, to be compared with what a head or trailer record says. @module */
import { Problem } from '../../../base/problem.ts'
import type { CsvSection } from '../../policy/body.ts'
import { type Decimal, parseDecimal } from '../decimal.ts'

/** What the rows come to. */
export interface Totals {
  rows: number
  readonly sums: readonly Sum[]
}

/** What a column of the rows comes to. */
interface Sum {
  readonly column: string
  total: Decimal
  /** What is not in `total` yet: units of `scale`, exact as a number. */
  units: number
  scale: number
}

/** A number that has at most so many digits, and the sum of ten such, is exact. */
const DIGITS_MAX = 14
const UNITS_MAX = 10 ** (DIGITS_MAX + 1)

/** Starts at zero, for every column that some section sums up. */
export function startTotals(...sections: readonly (CsvSection | undefined)[]): Totals {
  const columns = new Set(sections.flatMap((section) => [...(section?.totals.values() ?? [])]))
  const start = { total: { units: 0n, scale: 0 }, units: 0, scale: 0 }
  return { rows: 0, sums: Array.from(columns, (column) => ({ column, ...start })) }
}

/** Adds the amount that stands from `start` to `end`, without quotation marks. @returns false when it is none. */
export function addAmount(sum: Sum, bytes: Buffer, start: number, end: number): boolean {
  let units = 0
  let point = end
  const first = bytes[start] === MINUS ? start + 1 : start
  for (let at = first; at < end; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit >= 0 && digit <= 9) units = units * 10 + digit
    else if (bytes[at] === POINT && point === end && at > first) point = at
    else return false
  }
  const scale = point === end ? 0 : end - point - 1
  if (first === end || point === end - 1) return false
  if (end - first > DIGITS_MAX) return addLong(sum, bytes.toString('latin1', start, end))
  if (scale !== sum.scale || Math.abs(sum.units) > UNITS_MAX) settle(sum)
  sum.scale = scale
  sum.units += first === start ? units : -units
  return true
}

const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30

function addLong(sum: Sum, text: string): boolean {
  const amount = parseDecimal(text)
  if (amount !== undefined) sum.total = add(sum.total, amount)
  return amount !== undefined
}

/** @returns the sum of all amounts. */
function settle(sum: Sum): Decimal {
  sum.total = add(sum.total, { units: BigInt(sum.units), scale: sum.scale })
  sum.units = 0
  return sum.total
}

function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale)
  return { units: toScale(a, scale) + toScale(b, scale), scale }
}

/** @throws {Problem} `totals-wrong` when the record says anything else than the rows. */
export function checkTotals(
  totals: Totals,
  name: string,
  { columns, count, totals: summed }: CsvSection,
  cells: readonly string[],
): void {
  const cellOf = (column: string) => cells[columns.indexOf(column)] ?? ''
  if (count !== undefined && !/^0*(\d{1,15})$/.test(cellOf(count))) {
    throw new Problem('totals-wrong', `${name}: \`${count}\` is no count`)
  }
  if (count !== undefined && Number(cellOf(count)) !== totals.rows) {
    throw new Problem(
      'totals-wrong',
      `${name}: \`${count}\` is not the count of ${totals.rows} rows`,
    )
  }
  for (const [column, of] of summed) {
    const said = parseDecimal(cellOf(column))
    const sum = totals.sums.find(({ column: summed }) => summed === of)
    if (said === undefined || sum === undefined || !isSame(said, settle(sum))) {
      throw new Problem('totals-wrong', `${name}: \`${column}\` is not the sum of \`${of}\``)
    }
  }
}

function isSame(a: Decimal, b: Decimal): boolean {
  const scale = Math.max(a.scale, b.scale)
  return toScale(a, scale) === toScale(b, scale)
}

function toScale({ units, scale }: Decimal, wanted: number): bigint {
  return units * 10n ** BigInt(wanted - scale)
}

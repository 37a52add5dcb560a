/** Counts rows and adds their amounts up, to be compared with what a head or trailer record says. @module */
import { Problem } from '../../../base/problem.ts'
import type { CsvSection } from '../../policy/body.ts'
import { type Decimal, parseDecimal } from '../decimal.ts'

/** What the rows come to. */
export interface Totals {
  rows: number
  /** By column of the rows. */
  readonly sums: Map<string, Decimal>
}

/** Starts at zero, for every column that some section sums up. */
export function startTotals(...sections: readonly (CsvSection | undefined)[]): Totals {
  const columns = sections.flatMap((section) => [...(section?.totals.values() ?? [])])
  return { rows: 0, sums: new Map(columns.map((column) => [column, { units: 0n, scale: 0 }])) }
}

/** Adds one amount. @returns false when it is none. */
export function addAmount(totals: Totals, column: string, text: string): boolean {
  const amount = parseDecimal(text)
  const sum = totals.sums.get(column)
  if (amount === undefined || sum === undefined) return false
  const scale = Math.max(amount.scale, sum.scale)
  totals.sums.set(column, { units: toScale(amount, scale) + toScale(sum, scale), scale })
  return true
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
    const sum = totals.sums.get(of)
    if (said === undefined || sum === undefined || !isSame(said, sum)) {
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

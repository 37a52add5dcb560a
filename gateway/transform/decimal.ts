/** Decimal arithmetic on the spelling of a number: `0.1` is not a binary fraction here. @module */

/** units × 10⁻ˢᶜᵃˡᵉ. */
export interface Decimal {
  readonly units: bigint
  /** Negative after rounding to tens. */
  readonly scale: number
}

/** Reads `-12.50`; exponents, signs of plus and more than 30 digits on a side are not read. */
export function parseDecimal(text: string): Decimal | undefined {
  const [, sign, whole, fraction = ''] = /^(-?)(\d{1,30})(?:\.(\d{1,30}))?$/.exec(text) ?? []
  if (whole === undefined) return undefined
  return { units: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length }
}

/** Rounds half away from zero. */
export function roundDecimal({ units, scale }: Decimal, digits: number): Decimal {
  if (scale <= digits) return { units, scale }
  const step = 10n ** BigInt(scale - digits)
  const half = units < 0n ? -step / 2n : step / 2n
  return { units: (units + half) / step, scale: digits }
}

/** The whole number at or below. */
export function floorDecimal({ units, scale }: Decimal): bigint {
  const step = 10n ** BigInt(Math.max(scale, 0))
  return floorDivide(units, step)
}

/** Integer division towards minus infinity. */
export function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  return dividend % divisor < 0n ? quotient - 1n : quotient
}

/** Spells a decimal with as many fraction digits as its scale says. */
export function formatDecimal({ units, scale }: Decimal): string {
  if (scale <= 0) return String(units * 10n ** BigInt(-scale))
  const sign = units < 0n ? '-' : ''
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

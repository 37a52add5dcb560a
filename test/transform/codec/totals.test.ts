import { expect } from 'chai'
import fc from 'fast-check'
import { Problem } from '../../../base/problem.ts'
import { addAmount, checkTotals, startTotals } from '../../../gateway/transform/codec/totals.ts'

const SECTION = { columns: ['sum'], totals: new Map([['sum', 'amount']]) }

/** Whether a sum of amounts is what a trailer says; undefined when one of them is no amount. */
function isSum(amounts: readonly string[], said: string): boolean | undefined {
  const totals = startTotals(SECTION)
  const [sum] = totals.sums
  if (sum === undefined) throw new Error('no sum')
  for (const amount of amounts) {
    const bytes = Buffer.from(`<${amount}>`)
    if (!addAmount(sum, bytes, 1, bytes.length - 1)) return undefined
  }
  try {
    checkTotals(totals, 'the trailer', SECTION, [said])
    return true
  } catch (error) {
    if (error instanceof Problem && error.slug === 'totals-wrong') return false
    throw error
  }
}

const SCALE = 10n ** 30n

/** Thirty digits behind the point. */
function reference(amount: string): bigint | undefined {
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d{1,30})(?:\.(\d{1,30}))?$/.exec(amount) ?? []
  if (sign === undefined) return undefined
  return BigInt(`${sign}1`) * (BigInt(whole) * SCALE + BigInt(fraction.padEnd(30, '0')))
}

function write(units: bigint): string {
  const digits = String(units < 0n ? -units : units).padStart(31, '0')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -30)}.${digits.slice(-30)}`
}

const digits = (max: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: max })
const amount = fc.oneof(
  fc
    .tuple(fc.constantFrom('', '-'), digits(8), digits(2))
    .map(([sign, a, b]) => `${sign}${a}.${b}`),
  fc.tuple(fc.constantFrom('', '-'), digits(15)).map(([sign, a]) => `${sign}${a}`),
  fc
    .tuple(fc.constantFrom('', '-'), digits(20), digits(20))
    .map(([sign, a, b]) => `${sign}${a}.${b}`),
)
const odd = fc.constantFrom('', '-', '.', '1.', '.5', '-.5', '1.2.3', '+1', '1e3', ' 1', '1,000', '--1', '１', '0'.repeat(31)) // prettier-ignore

describe('the sums of a table', () => {
  it('are exact, whatever the lengths of the amounts', () => {
    fc.assert(
      fc.property(fc.array(amount, { maxLength: 40 }), (amounts) => {
        const sum = amounts.reduce((all, each) => all + (reference(each) ?? 0n), 0n)
        expect(isSum(amounts, write(sum))).to.equal(true)
        expect(isSum(amounts, write(sum + 1n))).to.equal(false)
      }),
      { numRuns: 1000 },
    )
  })

  it('stay exact over more amounts than a number can add', () => {
    const amounts = Array.from({ length: 200 }, () => '99999999999999')
    expect(isSum(amounts, '19999999999999800')).to.equal(true)
    expect(isSum(amounts, '19999999999999801')).to.equal(false)
  })

  it('take nothing that is no amount', () => {
    fc.assert(
      fc.property(fc.oneof(odd, amount), (text) => {
        expect(isSum([text], '0') === undefined).to.equal(reference(text) === undefined)
      }),
    )
  })
})

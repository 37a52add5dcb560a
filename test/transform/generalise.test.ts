import { expect } from 'chai'
import fc from 'fast-check'
import type { Clock } from '../../base/clock.ts'
import type { Action } from '../../gateway/policy/policy.ts'
import { formatDecimal, parseDecimal, roundDecimal } from '../../gateway/transform/decimal.ts'
import { bind, clockAt, NULL, number, text, textOf, tryBind } from './bind.ts'

/** The day of the tests in China is 2026-11-25; in UTC it is still the 24th. */
const clock: Clock = clockAt('2026-11-24T16:00:00Z')
const ports = { clock }

describe('generalise', () => {
  // prettier-ignore
  const CASES: { by: Action['with'][string]; value: string; want: string }[] = [
    { by: 'age-band', value: '11010519491231002X',                    want: '60+' },
    { by: 'age-band', value: '110105491231002',                       want: '60+' },
    { by: 'age-band', value: '2008-11-25',                            want: '18-24' },
    { by: 'age-band', value: '2008-11-26',                            want: '<18' },
    { by: 'age-band', value: '1990/01/31',                            want: '35-44' },
    { by: 'age-band', value: '２００８１１２５',                      want: '18-24' },
    { by: { by: 'age-band', bands: [30, 50] }, value: '1990-01-31',   want: '30-49' },
    { by: 'sex',      value: '11010519491231002X',                    want: 'female' },
    { by: 'sex',      value: '440300199510051027',                    want: 'female' },
    { by: 'sex',      value: '510100199001011235',                    want: 'male' },
    { by: 'region',   value: '11010519491231002X',                    want: '北京市' },
    { by: 'region',   value: '440300199510051027',                    want: '广东省' },
    { by: 'region',   value: '810000198001010014',                    want: '香港特别行政区' },
    { by: 'region',   value: '13800138000',                           want: '北京市' },
    { by: 'region',   value: '+86 186-5710-3389',                     want: '浙江省' },
    { by: 'region',   value: '19912345678',                           want: '中国大陆' },
    { by: 'year',     value: '1990-01-31',                            want: '1990' },
    { by: 'quarter',  value: '19900531',                              want: '1990-Q2' },
    { by: 'month',    value: '1990-01-31T08:00:00+08:00',             want: '1990-01' },
    { by: { by: 'bucket', size: 5000 }, value: '12000.01',            want: '10000..15000' },
    { by: { by: 'bucket', size: 5000 }, value: '10000',               want: '10000..15000' },
    { by: { by: 'bucket', size: 5000 }, value: '9999.999',            want: '5000..10000' },
    { by: { by: 'bucket', size: 5000 }, value: '-0.5',                want: '-5000..0' },
    { by: { by: 'bucket', size: 7 }, value: '123456789012345678901',  want: '123456789012345678897..123456789012345678904' },
    { by: { by: 'bands', bands: [1000, 5000] }, value: '999.99',      want: '<1000' },
    { by: { by: 'bands', bands: [1000, 5000] }, value: '1000',        want: '1000-4999' },
    { by: { by: 'bands', bands: [1000, 5000] }, value: '5000',        want: '5000+' },
    { by: { by: 'round', digits: 1 },  value: '0.25',                 want: '0.3' },
    { by: { by: 'round', digits: 1 },  value: '-0.25',                want: '-0.3' },
    { by: { by: 'round', digits: -3 }, value: '12500',                want: '13000' },
    { by: { by: 'round', digits: 2 },  value: '1.1',                  want: '1.1' },
    { by: { by: 'round', digits: 0 },  value: '-0.4',                 want: '0' },
    { by: 'coordinate',                value: '39.904211',            want: '39.90' },
    { by: { by: 'coordinate', decimals: 1 }, value: '116.407394',     want: '116.4' },
  ]
  for (const { by, value, want } of CASES) {
    it(`${JSON.stringify(by)} of ${value} is ${want}`, () => {
      const apply = bind('generalise', { generalise: by ?? null }, { ports })
      expect(textOf(apply(text(value)))).to.equal(want)
    })
  }

  it('leaves a rounded number a number, and null null', () => {
    const round = bind('generalise', { generalise: { by: 'round', digits: 1 } })
    expect(round(number('0.25'))).to.deep.equal({ change: 'json', json: '0.3' })
    expect(round(NULL)).to.deep.equal({ change: 'keep' })
    const bucket = bind('generalise', { generalise: { by: 'bucket', size: 10 } })
    expect(bucket(number('42'))).to.deep.equal({ change: 'text', text: '40..50' })
  })

  // prettier-ignore
  const UNSUITABLE: { by: Action['with'][string]; value: string }[] = [
    { by: 'age-band', value: '2027-01-01' }, { by: 'age-band', value: 'thirty' }, { by: 'age-band', value: '1990-02-30' },
    { by: 'sex', value: '1990-01-01' },      { by: 'region', value: '990105194912310029' }, { by: 'region', value: '1380013800' }, { by: 'region', value: '010-12345678' }, { by: 'year', value: '90-01-01' },
    { by: 'month', value: '1990-13-01' },    { by: 'month', value: '199001011' }, { by: 'month', value: '1990-01/01' },
    { by: { by: 'bucket', size: 10 }, value: '1e3' }, { by: { by: 'round', digits: 0 }, value: '１２x' }, { by: 'coordinate', value: '' },
  ]
  for (const { by, value } of UNSUITABLE) {
    it(`refuses ${JSON.stringify(by)} of \`${value}\`, not naming it`, () => {
      const change = bind('generalise', { generalise: by ?? null }, { ports })(text(value))
      if (change.change !== 'refuse') throw new Error(`expected a refusal, got ${change.change}`)
      expect(change.why).to.match(/^expected a value that has `[a-z-]+`$/)
    })
  }

  // prettier-ignore
  const MISTAKES: { with: Action['with']; want: string }[] = [
    { with: { generalise: 'roughly' },                                want: '`by` of `generalise` is not usable: expected one of `age-band`' },
    { with: { generalise: 'bucket' },                                 want: '`size` of `generalise` is not usable' },
    { with: { generalise: { by: 'bucket', size: 0 } },                want: '`size` of `generalise` is not usable' },
    { with: { generalise: { by: 'bands', bands: [5, 3] } },           want: '`bands` does not ascend' },
    { with: { generalise: { by: 'coordinate', decimals: 4 } },        want: '`decimals` of `generalise` is not usable: expected a whole number from 0 to 2' },
    { with: { generalise: 'sex', size: 3 },                           want: '`sex` has no `size`' },
  ]
  for (const { with: parameters, want } of MISTAKES) {
    it(`complains of ${JSON.stringify(parameters)}`, () => {
      const { complaints } = tryBind('generalise', parameters)
      expect(complaints).to.have.length(1)
      expect(complaints[0]).to.satisfy((complaint: string) => complaint.startsWith(want))
    })
  }

  it('rounds to within half a step, for any decimal', () => {
    const decimal = fc.tuple(
      fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
      fc.integer({ min: 0, max: 9 }),
    )
    fc.assert(
      fc.property(decimal, fc.integer({ min: -9, max: 9 }), ([units, scale], digits) => {
        const spelled = formatDecimal({ units, scale })
        expect(parseDecimal(spelled)).to.deep.equal({ units, scale })
        const rounded = roundDecimal({ units, scale }, digits)
        // Both on a common scale of 9 digits after the point.
        const exact = units * 10n ** BigInt(9 - scale)
        const error = rounded.units * 10n ** BigInt(9 - rounded.scale) - exact
        const half = scale <= digits ? 0n : 10n ** BigInt(9 - digits) / 2n
        expect(error <= half && -error <= half).to.equal(true)
      }),
    )
  })
})

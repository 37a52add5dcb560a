import { expect } from 'chai'
import fc from 'fast-check'
import { parseDate, shiftDate } from '../../gateway/transform/calendar.ts'
import type { Links } from '../../gateway/transform/transform.ts'
import { bind, NULL, settle, text, textOf, tryBind } from './bind.ts'

const linksOf =
  (values: Record<string, string>): Links =>
  async (name) =>
    values[name]
const DAY_MS = 86_400_000
const days = (from: string, to: string) =>
  (Date.parse(to.slice(0, 10)) - Date.parse(from.slice(0, 10))) / DAY_MS

describe('date-shift', () => {
  const shift = bind('date-shift', { 'date-shift': 30 })
  const shifted = async (date: string, borrower: string) =>
    textOf(await settle(shift(text(date), linksOf({ borrower }))))

  it('moves all dates of one subject alike, by 1 to 30 days, and keeps the time of day', async () => {
    for (let index = 0; index < 50; index++) {
      const moved = await shifted('2026-03-01T08:15:00+08:00', `B-${index}`)
      expect(moved.slice(10)).to.equal('T08:15:00+08:00')
      const by = days('2026-03-01', moved)
      expect(Math.abs(by)).to.be.within(1, 30)
      expect(days('1990-01-31', await shifted('1990-01-31', `B-${index}`))).to.equal(by)
    }
  })

  it('moves subjects apart, and the same subject differently for another recipient', async () => {
    const moved = new Set<string>()
    for (let index = 0; index < 50; index++) moved.add(await shifted('2026-03-01', `B-${index}`))
    expect(moved.size).to.be.greaterThan(10)
    const other = bind('date-shift', { 'date-shift': 3650 }, { binding: { to: 'island-bank' } })
    const same = bind('date-shift', { 'date-shift': 3650 })
    const links = linksOf({ borrower: 'B-1' })
    const here = textOf(await settle(same(text('2026-03-01'), links)))
    const there = textOf(await settle(other(text('2026-03-01'), links)))
    expect(here).to.not.equal(there)
  })

  it('refuses without a subject, and what is no date', async () => {
    const why = 'expected a value for the link `borrower`'
    expect(await settle(shift(text('2026-03-01'), linksOf({})))).to.deep.equal({
      change: 'refuse',
      why,
    })
    expect(shift(text('2026-03-01'))).to.deep.equal({ change: 'refuse', why })
    expect(shift(text('soon'), linksOf({}))).to.have.property('change', 'refuse')
    expect(shift(NULL)).to.deep.equal({ change: 'keep' })
  })

  it('keeps the spelling of any date', () => {
    const date = fc.date({
      min: new Date('1000-01-01'),
      max: new Date('2900-01-01'),
      noInvalidDate: true,
    })
    const separators = fc.constantFrom('', '-', '/', '.')
    fc.assert(
      fc.property(date, separators, fc.integer({ min: -3650, max: 3650 }), (day, separator, by) => {
        const source = day.toISOString().slice(0, 10).replaceAll('-', separator)
        const parsed = parseDate(source)
        if (parsed === undefined) throw new Error('not parsed')
        const there = shiftDate(parsed, by)
        expect(there).to.have.length(source.length)
        const back = parseDate(there)
        expect(back && shiftDate(back, -by)).to.equal(source)
      }),
    )
  })

  for (const parameters of [{}, { 'date-shift': 0 }, { 'date-shift': 30, subject: 7 }]) {
    it(`complains of ${JSON.stringify(parameters)}`, () => {
      expect(tryBind('date-shift', parameters).complaints).to.have.length(1)
    })
  }
})

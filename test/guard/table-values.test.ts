import { expect } from 'chai'
import fc from 'fast-check'
import { carriedBy } from '../../gateway/guard/carriers.ts'
import { createDetect } from '../../gateway/guard/detect.ts'
import { createNames, NO_NAME } from '../../gateway/guard/names.ts'
import { deservesLook } from '../../gateway/guard/plain-value.ts'
import { visitCells } from '../../gateway/guard/table-values.ts'
import { CSV_DEFAULT, type CsvDialect } from '../../gateway/policy/body.ts'
import { loadDictionary } from './dictionary.ts'

const kinds = loadDictionary()
const detect = createDetect(kinds)
const names = createNames(kinds, (text) => detect(text).length + carriedBy(text).length === 0)
const nameOf = (text: string) => {
  const bytes = Buffer.from(JSON.stringify(text).slice(1, -1))
  return names.at(bytes, 0, bytes.length, NO_NAME)
}

/** The records of a table, cut by a pattern. */
function recordsOf(text: string, { delimiter, quote }: CsvDialect): string[][] {
  const quoted = quote === 'double' ? '"(?:[^"]|"")*"|' : ''
  const special = delimiter === '|' ? '\\|' : delimiter
  const cell = new RegExp(`(${quoted}[^${special}\\r\\n]*)(${special}|\\r?\\n|\\r|$)`, 'gy')
  const records: string[][] = []
  const cells: string[] = []
  for (let match = cell.exec(text); match !== null; match = cell.exec(text)) {
    const [whole, value = '', end] = match
    const isQuoted = quote === 'double' && /^".*"$/s.test(value)
    cells.push(isQuoted ? value.slice(1, -1).replaceAll('""', '"') : value)
    if (end !== delimiter) records.push(cells.splice(0))
    if (whole === '' || cell.lastIndex >= text.length) break
  }
  if (cells.length > 0) records.push([...cells, text.slice(cell.lastIndex)])
  return records
}

/** Every cell under the names that apply to it, those that deserve a look. */
function reference(text: string, csv: CsvDialect): string[] {
  const records = recordsOf(text, csv)
  let columns = csv.columns
  let row = 0
  return records.flatMap((cells, index) => {
    const show = (record: string, under: readonly string[] = []) =>
      cells.flatMap((cell, at) => {
        const name = nameOf(under[at] ?? '')
        const place = `${record} ${row} ${at + 1}`
        const own = name.clean ? [] : [`${place} ${name.text} under `]
        return deservesLook(cell, name) ? [...own, `${place} ${cell} under ${name.text}`] : own
      })
    if (index === 0 && cells.length === csv.head?.columns.length)
      return show('head', csv.head.columns)
    if (columns === undefined) {
      columns = cells
      return show('row of names')
    }
    if (index === records.length - 1 && csv.trailer !== undefined)
      return [...show('trailer', csv.trailer.columns), ...show('trailer')]
    row++
    return show('row', columns)
  })
}

const COLUMNS = ['id', 'mobile', '13800138000', 'name', 'cvv']
const section = (columns: readonly string[]) => ({ columns, totals: new Map<string, string>() })
const dialect = fc
  .record({
    delimiter: fc.constantFrom(',', '|', '\t'),
    quote: fc.constantFrom('double' as const, 'none' as const),
    columns: fc.constantFrom(undefined, COLUMNS),
    head: fc.constantFrom(undefined, section(['mark', 'mobile'])),
    trailer: fc.constantFrom(undefined, section(['mark', 'name'])),
  })
  .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)))
  .map((all): CsvDialect => ({ ...CSV_DEFAULT, ...all }))
const value = fc.oneof(
  fc.constantFrom(
    '',
    'A-1',
    '13800138000',
    '张三',
    '王**',
    '请致电 138-0013-8000',
    '2026-11-24 10:00:00',
  ),
  fc.constantFrom(
    'tok_mobile_1_abcdefghijkl',
    'a\\b',
    'LN-2026-000017',
    '"',
    '""',
    '\u0001',
    'mobile',
  ),
  fc.string({ unit: fc.constantFrom(...'ab1",|\t\r\n é张'), maxLength: 6 }),
)
const cell = fc.oneof(
  value,
  value.map((text) => `"${text.replaceAll('"', '""')}"`),
)
const table = fc.array(
  fc.tuple(fc.array(cell, { minLength: 1, maxLength: 5 }), fc.constantFrom('\n', '\r\n', '\r', '')),
  { minLength: 1, maxLength: 6 },
)

describe('the cells of a table that are looked at', () => {
  it('are those that a pattern finds, under the same names', () => {
    let looked = 0
    fc.assert(
      fc.property(table, dialect, (rows, csv) => {
        const text = rows.map(([cells, end]) => cells.join(csv.delimiter) + end).join('')
        fc.pre(text !== '')
        const got: string[] = []
        visitCells(Buffer.from(text), csv, nameOf, ({ record, row, column }, found, name) =>
          got.push(`${record} ${row} ${column} ${found} under ${name}`),
        )
        expect(got).to.deep.equal(reference(text, csv))
        looked += got.length
      }),
      { numRuns: 10_000 },
    )
    expect(looked).to.be.above(10_000)
  })

  it('may be beyond what anybody reads: long ones are looked at, whatever is in them', () => {
    const got: string[] = []
    const bytes = Buffer.from(`a\n${'x'.repeat(1025)}\n${'x'.repeat(1024)}\n`)
    visitCells(bytes, CSV_DEFAULT, nameOf, ({ record, row }) => got.push(`${record} ${row}`))
    expect(got).to.deep.equal(['row 1'])
  })
})

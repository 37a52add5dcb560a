import { expect } from 'chai'
import { CSV_DEFAULT, type CsvDialect } from '../../../gateway/policy/body.ts'
import { type BodyFormat, readFormat } from '../../../gateway/transform/format.ts'
import { startTranscoder } from '../../../gateway/transform/charset.ts'
import { compile } from '../policies.ts'
import { everyway, pieces, textOf, rowsOf } from './both.ts'

const HOUSE: CsvDialect = {
  delimiter: '|',
  quote: 'none',
  columns: ['no', 'mobile', 'amount'],
  head: { columns: ['kind', 'day', 'rows'], count: 'rows', totals: new Map() },
  trailer: { columns: ['end', 'rows', 'sum'], count: 'rows', totals: new Map([['sum', 'amount']]) },
}

const { columns: _, ...NAMED_HOUSE } = HOUSE
const HOUSE_HEAD: Partial<CsvDialect> = {
  head: { columns: ['kind', 'rows'], count: 'rows', totals: new Map() },
}

function formatOf(csv: Partial<CsvDialect> = {}, charset: BodyFormat['charset'] = 'utf-8') {
  const dialect = { format: 'csv', charset, csv: { ...CSV_DEFAULT, ...csv } } as const
  return readFormat('text/csv', dialect)
}

const KEEP = { '$[*]': 'keep' }
const SOME = { '$[*].id': 'keep', '$[*].name': 'length', '$[*].m': 'drop' }

describe('CSV', () => {
  // prettier-ignore
  const ACCEPTED: readonly [name: string, fields: Record<string, string>, body: string, want: string, dialect?: Partial<CsvDialect>][] = [
    ['keeps all',                       KEEP, 'a,b\r\n1,"x,""y"\r\n', 'a,b\r\n1,"x,""y"\r\n'],
    ['keeps all without a last break',  KEEP, 'a,b\n1,2', 'a,b\n1,2'],
    ['keeps a line break in quotes',    KEEP, 'a,b\n1,"2\r\n3"\n', 'a,b\n1,"2\r\n3"\n'],
    ['keeps a byte order mark',         KEEP, '\ufeffa,b\n1,2\n', '\ufeffa,b\n1,2\n'],
    ['keeps empty values',              KEEP, 'a,b,c\n,,\n1,,\n', 'a,b,c\n,,\n1,,\n'],
    ['keeps names without rows',        KEEP, 'a,b\n', 'a,b\n'],
    ['takes columns out, name and all', SOME, 'm,id,x,name\n138,A,9,张三\n139,"B",8,"李,四"\n', 'id,name\nA,#2\n"B",#3\n'],
    ['takes the last columns out',      SOME, 'id,m,x\nA,138,9\n', 'id\nA\n'],
    ['quotes what needs it',            { '$[*].a': 'keep', '$[*].b': 'echo' }, 'a,b\n1,"x\ny"\n', 'a,b\n1,"x\ny"\n'],
    ['renames above the rows',          { '$[*].a': 'keep', '$[*].b': "length > $[*]['c,d']" }, 'a,b\n1,22\n', 'a,"c,d"\n1,#2\n'],
    ['renames the first column',        { '$[*].b': 'keep > $[*].c' }, 'a,b\n1,22\n', 'c\n22\n'],
    ['empties a place without a name',  { '$[*].no': 'keep', '$[*].amount': 'keep' }, '1,138,2.50\n2,139,3\n', '1,,2.50\n2,,3\n', { columns: ['no', 'mobile', 'amount'] }],
    ['empties all places',              { '$[*].other': 'keep' }, '1,2\n', ',\n', { columns: ['a', 'b'] }],
    ['takes any delimiter',             SOME, 'm\u0001id\n138\u0001"A\n', 'id\n"A\n', { delimiter: '\u0001', quote: 'none' }],
    ['checks head and trailer',         { '$.head': 'keep', '$.rows[*].no': 'keep', '$.rows[*].amount': 'keep', '$.trailer': 'keep' },
      'H|20260301|2\n1|138|1.50\n2|139|2.50\nT|2|4.00\n', 'H|20260301|2\n1||1.50\n2||2.50\nT|2|4.00\n', HOUSE],
    ['keeps a head above the names',    { '$.head': 'keep', '$.rows[*].b': 'keep' }, 'H|1\na|b|c\n1|2|3\n', 'H|1\nb\n2\n', { ...HOUSE_HEAD, delimiter: '|' }],
    ['takes a head above the names out', { '$.rows[*].a': 'keep' }, 'H|1\r\na|b\r\n1|2\r\n', 'a\r\n1\r\n', { ...HOUSE_HEAD, delimiter: '|' }],
    ['knows a trailer without a break', { '$.rows[*].no': 'keep', '$.trailer.rows': 'keep' }, 'H|0301|1\n1|138|-1.50\nT|1|-1.5', '\n1||\n|1|'.slice(1), HOUSE],
    ['takes no rows at all',            { '$.head': 'keep', '$.rows[*].no': 'keep', '$.trailer': 'keep' }, 'H|0301|0\nT|0|0\n', 'H|0301|0\nT|0|0\n', HOUSE],
  ]
  for (const [name, fields, body, want, dialect] of ACCEPTED) {
    it(name, () => {
      const { route, complaints } = compile({ fields })
      expect(complaints).to.deep.equal([])
      expect(textOf(everyway(route.request, Buffer.from(body), formatOf(dialect)))).to.equal(want)
    })
  }

  // prettier-ignore
  const REFUSED: readonly [name: string, body: string, want: string, dialect?: Partial<CsvDialect>][] = [
    ['too few columns',        'a,b\n1,2\n3\n', 'row-invalid: row 2: expected 2 columns, received 1'],
    ['too many columns',       'a,b\n1,2,3\n', 'row-invalid: row 1: expected 2 columns, received 3'],
    ['an empty row',           'a,b\n\n1,2\n', 'row-invalid: row 1: it is empty'],
    ['a name twice',           'a,a\n1,2\n', 'row-invalid: the row of names: a name stands twice'],
    ['an open quote',          'a,b\n1,"2\n', 'row-invalid: row 1, column 2: at byte 6: a quotation mark is not closed'],
    ['a stray quote',          'a,b\n1,2"\n', 'row-invalid: row 1, column 2: at byte 7: a quotation mark inside a value that is not quoted'],
    ['text behind a quote',    'a,b\n1,"2"3\n', 'row-invalid: row 1, column 3: at byte 9: expected the delimiter or a line break'],
    ['a lone return',          'a,b\n1\r2\n', 'row-invalid: row 1, column 2: at byte 5: expected the delimiter or a line break'],
    ['a control character',    'a,b\n1,\u0000\n', 'row-invalid: row 1, column 2: at byte 6: a control character'],
    ['bytes that are no text', 'a,b\n1,\xff\n', 'row-invalid: row 1, column 2: at byte 6: expected UTF-8'],
    ['such bytes in quotes',   'a,b\n1,"x,\n\xff"\n', 'row-invalid: row 1, column 2: at byte 10: expected UTF-8'],
    ['such bytes in a name',   'a,b\xff\n1,2\n', 'row-invalid: the row of names: at byte 3: expected UTF-8'],
    ['such bytes behind another mistake', 'a,b\n1\n2,\xff\n', 'row-invalid: row 1: expected 2 columns, received 1'],
    ['no row of names',        '\ufeff', 'row-invalid: the row of names: it is missing'],
    ['no amount',              'H|1|1\n1|2|x\nT|1|0\n', 'row-invalid: row 1, column 3: expected an amount', HOUSE],
    ['names without a sum',    'H|1|0\na|b\nT|0|0\n', 'row-invalid: the row of names: expected `amount`, which is summed up', NAMED_HOUSE],
    ['a wrong count',          'H|1|1\n1|2|3\nT|2|3\n', 'totals-wrong: the trailer: `rows` is not the count of 1 rows', HOUSE],
    ['a count that is none',   'H|1|1\n1|2|3\nT||3\n', 'totals-wrong: the trailer: `rows` is no count', HOUSE],
    ['a wrong sum',            'H|1|1\n1|2|3\nT|1|3.01\n', 'totals-wrong: the trailer: `sum` is not the sum of `amount`', HOUSE],
    ['a wrong count above',    'H|1|2\n1|2|3\nT|1|3\n', 'totals-wrong: the head: `rows` is not the count of 1 rows', HOUSE],
    ['no trailer',             'H|1|1\n', 'row-invalid: the trailer: it is missing', HOUSE],
    ['a row for a trailer',    'H|1|1\n1|2|3|4\n', 'row-invalid: the trailer: expected 3 columns, received 4', HOUSE],
  ]
  for (const [name, body, want, dialect] of REFUSED) {
    it(`refuses ${name}`, () => {
      const { request } = compile({ fields: { ...KEEP, '$.*': 'keep' } }).route
      expect(
        everyway(
          request,
          Buffer.from(body, body.includes('\xff') ? 'latin1' : 'utf8'),
          formatOf(dialect),
        ),
      ).to.equal(want)
    })
  }

  it('names the row and column of bytes that are not in the character set', () => {
    const { request } = compile({ fields: KEEP }).route
    const body = Buffer.from('a,b\n1,\xd5\xc5\n2,x\xff\n', 'latin1')
    for (const charset of ['gbk', 'gb18030'] as const) {
      const got = everyway(request, body, formatOf({}, charset))
      expect(got).to.equal(`row-invalid: row 2, column 2: at byte 12: expected ${charset}`)
    }
  })

  it('names the row and column of a value that does not fit', () => {
    const { request } = compile({ fields: { '$[*].a': 'keep', '$[*].b': 'refuse' } }).route
    const got = everyway(request, Buffer.from('a,b\n1,2\n'), formatOf())
    expect(got).to.equal('value-unsuitable: row 1, column 2: `$[*].b`: not today')
  })

  it('refuses a row of which nothing is left', () => {
    const { request } = compile({ fields: { '$[*].b': 'keep' } }).route
    expect(everyway(request, Buffer.from('a,b\n1,2\n3,\n'), formatOf())).to.match(
      /^row-invalid: row 2/,
    )
  })

  it('keeps the row of names where all of the table is kept', () => {
    const body = Buffer.from('\ufeffa,b\r\n1,2\r\n3,4')
    const got = everyway(compile({ fields: { $: 'keep' } }).route.request, body, formatOf())
    expect(textOf(got)).to.equal(body.toString())
    const some = compile({ fields: { $: 'keep', '$[*].b': 'drop' } }).route.request
    expect(textOf(everyway(some, body, formatOf()))).to.equal('\ufeffa\r\n1\r\n3')
    const none = compile({ fields: { $: 'keep', '$[*].a': 'drop', '$[*].b': 'drop' } }).route
      .request
    expect(textOf(everyway(none, Buffer.from('a,b\n'), formatOf()))).to.equal('')
    const other = compile({ fields: { $: 'keep', '$[*].a': 'drop', '$[*].b': 'keep > $[*].c' } })
    expect(textOf(everyway(other.route.request, body, formatOf()))).to.equal('\ufeffc\r\n2\r\n4')
  })

  it('refuses a new value that nothing can escape', () => {
    const { request } = compile({ fields: { '$[*].a': 'echo' } }).route
    const body = Buffer.from('a\n1;2\n')
    const format = formatOf({ delimiter: ';', quote: 'none' })
    expect(everyway(request, Buffer.from('a\n12\n'), format)).to.have.property('bytes')
    expect(everyway(request, body, format)).to.match(/^row-invalid: row 1: expected 1 columns/)
  })

  it('claims cells by row and name, and records by their text', () => {
    const some = compile({ fields: { '$[*].m': 'drop', '$[*].id': 'keep' } }).route.request
    const cells = everyway(some, Buffer.from('m,id,x\n"1""3",A,9\n'), formatOf())
    expect(cells).to.have.deep.property('claims', ['f:$[0].m "1\\"3"', 'f:$[0].x "9"'])
    const parts = compile({ fields: { '$.rows[*].no': 'keep', '$.head': 'drop' } }).route.request
    const sections = everyway(parts, Buffer.from('H|1|1\n1|2|3\nT|1|3\n'), formatOf(HOUSE))
    expect(sections).to.have.deep.property('claims', [
      'f:$.head "H|1|1"',
      'f:$.rows[0].mobile "2"',
      'f:$.rows[0].amount "3"',
      'f:$.trailer "T|1|3"',
    ])
  })

  it('captures a value of the head', () => {
    const { request } = compile({
      fields: { '$.rows': 'keep' },
      links: { day: '$.head.day' },
    }).route
    const got = everyway(request, Buffer.from('H|0301|1\n1|2|3\nT|1|3\n'), formatOf(HOUSE))
    expect(textOf(got)).to.equal('1|2|3\n')
    expect(got)
      .to.have.nested.property('rest.values')
      .deep.equal([['links.day', 'string', '0301']])
  })

  for (const charset of ['gbk', 'gb18030'] as const) {
    it(`keeps ${charset} byte for byte, with a delimiter that is also a trail byte`, () => {
      // 0x7c is `|`, and the second byte of 恷 (0x907c) and many others.
      const text = 'no|name|m\n1|恷倈|138\n2|張三豐|139\n'
      const body = startTranscoder(charset).encode(Buffer.from(text))
      expect(body.includes(Buffer.from([0x90, 0x7c]))).to.equal(true)
      const format = formatOf({ delimiter: '|', quote: 'none' }, charset)
      const keep = compile({ fields: KEEP }).route.request
      expect(everyway(keep, body, format)).to.have.deep.property('bytes', body)
      const { request } = compile({ fields: { '$[*].no': 'keep', '$[*].name': 'keep' } }).route
      const got = everyway(request, body, format)
      const want = startTranscoder(charset).encode(Buffer.from('no|name\n1|恷倈\n2|張三豐\n'))
      expect(got).to.have.deep.property('bytes', want)
    })
  }

  it('tells each row as it came and as it leaves, without the records around', () => {
    const told: string[][] = []
    const gbk = (text: string) => startTranscoder('gbk').encode(Buffer.from(text))
    const { request } = compile({ fields: { '$.rows[*].no': 'keep', '$.head': 'keep' } }).route
    const body = gbk('张|1|2\r\n一|2|3\r\n二|3|4\r\nT|2|7\r\n')
    const got = pieces(request, body, formatOf(HOUSE, 'gbk'), [9, 10, 20], {
      onRows: (...batches) => void told.push(batches.flatMap((batch) => rowsOf(batch, 'hex'))),
    })
    expect(got).to.have.deep.property('bytes', gbk('张|1|2\r\n一||\r\n二||\r\n'))
    const want = [['一|2|3', '一||'], ['二|3|4', '二||']] // prettier-ignore
    expect(told).to.deep.equal(want.map((rows) => rows.map((text) => gbk(text).toString('hex'))))
  })
})

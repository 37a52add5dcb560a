import { expect } from 'chai'
import fc from 'fast-check'
import { type BodyDialect, CSV_DEFAULT } from '../../gateway/policy/body.ts'
import { rowFormOf, rowsOf as rowsOfFile } from '../../gateway/stream/rows-of.ts'
import { startTranscoder } from '../../gateway/transform/charset.ts'
import { type BodyFormat, readFormat } from '../../gateway/transform/format.ts'
import { startBodyStream } from '../../gateway/transform/stream.ts'
import { rowsOf } from './codec/both.ts'
import { compile } from './policies.ts'

const LINES = readFormat('application/x-ndjson')
const TABLE = readFormat('text/csv; charset=gbk')
const COLUMNS = ['a', 'b', '张']
const SECTIONED: BodyDialect = {
  format: 'csv',
  csv: {
    ...CSV_DEFAULT,
    columns: COLUMNS,
    head: { columns: ['h'], totals: new Map() },
    trailer: { columns: ['t'], totals: new Map() },
  },
}
const ONE_COLUMN: BodyDialect = { format: 'csv', csv: { ...CSV_DEFAULT, columns: ['a'] } }

/** Streams a body. @returns what left, and the rows that were told as they came and as they left, in hex. */
function run(
  fields: Record<string, string>,
  body: Buffer,
  format: BodyFormat,
  places: readonly number[],
) {
  const { request } = compile({ fields }).route
  const came: string[] = []
  const left: string[] = []
  const stream = startBodyStream(request, format, {
    onRows: (received, forwarded) => {
      came.push(...rowsOf(received, 'hex'))
      left.push(...rowsOf(forwarded, 'hex'))
    },
  })
  const cuts = places.map((place) => place % (body.length + 1)).sort((a, b) => a - b)
  const ends = [...cuts, body.length]
  const parts = ends.map((end, i) => stream.write(body.subarray(ends[i - 1] ?? 0, end)).bytes)
  return { bytes: Buffer.concat([...parts, stream.end().bytes]), came, left }
}

/** The rows of a file, as whoever holds it cuts it to have one opened; in hex. */
async function cutFile(bytes: Buffer, { mediaType, dialect }: BodyFormat): Promise<string[]> {
  const rows: string[] = []
  const form = rowFormOf(mediaType, dialect)
  for await (const row of rowsOfFile(one(bytes), form)) rows.push(row.toString('hex'))
  return rows
}

async function* one(bytes: Buffer) {
  yield bytes
}

/** Both files, the sender's and the recipient's, have the rows that were told. */
async function check(...[fields, body, format, places]: Parameters<typeof run>) {
  const { bytes, came, left } = run(fields, body, format, places)
  expect(came).to.deep.equal(await cutFile(body, format))
  expect(left).to.deep.equal(await cutFile(bytes, format))
  return { text: bytes.toString(), left }
}

const value = fc.constantFrom('1', '张三丰', '', 'x', '李')
const row = fc.tuple(value, value, value)
const rows = fc.array(row, { minLength: 1, maxLength: 6 })
const parting = fc.constantFrom('\n', '\r\n')
const places = fc.array(fc.nat(), { maxLength: 4 })
// prettier-ignore
const RULES: readonly Record<string, string>[] = [
  { '$[*].a': 'keep', '$[*].b': 'length' },
  { '$[*].a': 'keep', '$[*].张': 'constant' },
  { '$[*]': 'keep', '$[1]': 'drop' },
  { '$': 'keep' },
  { '$': 'keep', '$[*].b': 'drop', '$[0]': 'drop' },
  { '$[*].*': 'length' },
  { '$..b': 'keep' },
]

describe('the rows that a stream tells', () => {
  it('are the lines of both files, wherever the body is cut', async () => {
    const line = fc.oneof(
      { weight: 5, arbitrary: row.map(([a, b, c]) => JSON.stringify({ a, b, 张: c })) },
      fc.constantFrom('7', '[]', '"x"', '{}', '[1]'),
    )
    const lines = fc.array(line, { minLength: 1, maxLength: 6 })
    const text = fc
      .tuple(lines, fc.constantFrom('', '\n'))
      .map(([all, end]) => all.join('\n') + end)
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom(...RULES), places, async (body, fields, at) => {
        await check(fields, Buffer.from(body), LINES, at)
      }),
      { numRuns: 2000 },
    )
  })

  it('are the records of both files, in the character set of the wire', async () => {
    const { encode } = startTranscoder('gbk')
    const body = fc.tuple(rows, parting, fc.boolean()).map(([cells, end, ended]) => {
      // A first column that is never empty: a record of nothing is no record.
      const records = [COLUMNS.join(), ...cells.map((some) => `1${some.join()}`)]
      return encode(Buffer.from(records.join(end) + (ended ? end : '')))
    })
    const rules = fc.constantFrom(...RULES.slice(0, 2), { $: 'keep' })
    await fc.assert(
      fc.asyncProperty(body, rules, places, async (input, fields, at) => {
        await check(fields, input, TABLE, at)
      }),
      { numRuns: 2000 },
    )
  })

  it('are the records between a head and a trailer, of which all may be kept or dropped', async () => {
    const format = readFormat('text/csv', SECTIONED)
    const ends = { '$.head': 'keep', '$.trailer': 'keep' }
    const rules = fc.constantFrom<Record<string, string>>(
      { ...ends, '$.rows': 'keep' },
      { ...ends, '$.rows': 'keep', '$.rows[*].b': 'drop' },
      { ...ends, '$.rows[*].a': 'keep' },
      { ...ends, '$.*[*].a': 'keep' },
      { ...ends, '$.rows': 'drop' },
      { $: 'keep' },
    )
    const body = fc
      .tuple(rows, parting)
      .map(([cells, end]) =>
        Buffer.from(['H', ...cells.map((some) => some.join()), 'T', ''].join(end)),
      )
    await fc.assert(
      fc.asyncProperty(body, rules, places, async (input, fields, at) => {
        await check(fields, input, format, at)
      }),
      { numRuns: 2000 },
    )
  })

  it('stay rows when nothing of them is left but their places', async () => {
    const format = readFormat('text/csv', ONE_COLUMN)
    for (let cut = 0; cut <= 4; cut++) {
      const { text, left } = await check({ '$[*].b': 'keep' }, Buffer.from('1\n2\n'), format, [cut])
      expect(text).to.equal('\n\n')
      expect(left).to.deep.equal(['', ''])
    }
  })

  it('wait with what cannot leave yet, and are told then, each on its own', async () => {
    const body = Buffer.from('H\nx,1,一\ny,2,二\nz,3,三\nT\n')
    const format = readFormat('text/csv', SECTIONED)
    for (let cut = 0; cut <= body.length; cut++) {
      // Whether `rows` stays with its name shows at the first value that passes.
      const { text } = await check({ '$.*[*].a': 'keep', '$.trailer': 'keep' }, body, format, [cut])
      expect(text, `cut at ${cut}`).to.match(/x,,\ny,,\nz,,\nT\n$/)
    }
  })

  it('are told even when all that was written of them is taken back', async () => {
    const body = Buffer.from('{"a":{"u":{"x":1}},"b":2}\n{"a":{"u":{"x":2}},"b":3}\n')
    const fields = { '$[*].b': 'keep', '$[*].a.*.y': 'keep' }
    for (let cut = 0; cut <= body.length; cut++) {
      const { text } = await check(fields, body, LINES, [cut])
      expect(text).to.equal('{"a":{},"b":2}\n{"a":{},"b":3}\n')
    }
  })
})

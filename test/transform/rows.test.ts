import { expect } from 'chai'
import fc from 'fast-check'
import { CSV_DEFAULT } from '../../gateway/policy/body.ts'
import { startTranscoder } from '../../gateway/transform/charset.ts'
import { type BodyFormat, readFormat } from '../../gateway/transform/format.ts'
import { startBodyStream } from '../../gateway/transform/stream.ts'
import { pairsOf } from './codec/both.ts'
import { compile } from './policies.ts'

const LINES = readFormat('application/x-ndjson')
const TABLE = readFormat('text/csv; charset=gbk')
const SECTIONED = readFormat('text/csv', {
  format: 'csv',
  csv: {
    ...CSV_DEFAULT,
    columns: ['a', 'b', '张'],
    trailer: { columns: ['t'], totals: new Map() },
  },
})

/** Streams a body. @returns what left, and the pairs of rows that were told, in hex. */
function run(
  fields: Record<string, string>,
  body: Buffer,
  format: BodyFormat,
  cuts: readonly number[],
) {
  const { request } = compile({ fields }).route
  const pairs: string[][] = []
  const stream = startBodyStream(request, format, {
    onRows: (received, forwarded) => void pairs.push(...pairsOf(received, forwarded, 'hex')),
  })
  const ends = [...cuts, body.length]
  const parts = ends.map((end, i) => stream.write(body.subarray(ends[i - 1] ?? 0, end)).bytes)
  return { bytes: Buffer.concat([...parts, stream.end().bytes]), pairs }
}

const linesOf = (bytes: Buffer, skip = 0) =>
  bytes
    .toString('latin1')
    .split(/\r?\n/)
    .slice(skip)
    .filter((line) => line !== '')
    .map((line) => Buffer.from(line, 'latin1').toString('hex'))

const value = fc.constantFrom('1', '张三丰', '', 'x', '李')
const row = fc.tuple(value, value, value)
const end = fc.constantFrom('\n', '\r\n')
const places = fc.array(fc.nat(), { maxLength: 4 })
const cutsOf = (at: readonly number[], { length }: Buffer) =>
  at.map((place) => place % (length + 1)).sort((a, b) => a - b)
// prettier-ignore
const RULES: readonly Record<string, string>[] = [
  { '$[*].a': 'keep', '$[*].b': 'length' },
  { '$[*].a': 'keep', '$[*].张': 'constant' },
  { '$[*]': 'keep', '$[1]': 'drop' },
  { '$': 'keep' },
  { '$[*].*': 'length' },
  { '$..b': 'keep' },
]

describe('the rows that a stream tells', () => {
  it('are the lines that came, and those that left, wherever the body is cut', () => {
    const line = row.map(([a, b, c]) => JSON.stringify({ a, b, 张: c }))
    const body = fc
      .array(line, { minLength: 1, maxLength: 6 })
      .map((all) => Buffer.from(all.join('\n')))
    fc.assert(
      fc.property(
        body,
        fc.constantFrom(...RULES),
        places,
        fc.boolean(),
        (text, fields, at, ended) => {
          const input = ended ? Buffer.concat([text, Buffer.from('\n')]) : text
          const { bytes, pairs } = run(fields, input, LINES, cutsOf(at, input))
          expect(pairs.map(([received]) => received)).to.deep.equal(linesOf(input))
          const left = pairs.map(([, forwarded]) => forwarded).filter((line) => line !== '')
          expect(left).to.deep.equal(linesOf(bytes))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('are the records that came, and those that left, in the character set of the wire', () => {
    const { encode } = startTranscoder('gbk')
    const body = fc
      .tuple(fc.array(row, { minLength: 1, maxLength: 6 }), end)
      .map(([rows, parting]) =>
        [['a', 'b', '张'], ...rows].map((cells) => `1${cells.join(',')}`).join(parting),
      ) // prettier-ignore
      .map((text) => encode(Buffer.from(text.replace('1', ''))))
    fc.assert(
      fc.property(
        body,
        fc.constantFrom(...RULES.slice(0, 2), { $: 'keep' }),
        places,
        (input, fields, at) => {
          const { bytes, pairs } = run(fields, input, TABLE, cutsOf(at, input))
          expect(pairs.map(([received]) => received)).to.deep.equal(linesOf(input, 1))
          expect(pairs.map(([, forwarded]) => forwarded)).to.deep.equal(linesOf(bytes, 1))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('wait with what cannot leave yet, and are told then, each on its own', () => {
    const body = Buffer.from('x,1,一\ny,2,二\nz,3,三\nT\n')
    for (let cut = 0; cut <= body.length; cut++) {
      // Whether `rows` stays with its name shows at the first value that passes.
      const { bytes, pairs } = run({ '$.*[*].a': 'keep', '$.trailer': 'keep' }, body, SECTIONED, [
        cut,
      ])
      expect(bytes.toString(), `cut at ${cut}`).to.equal('x,,\ny,,\nz,,\nT\n')
      const hex = (text: string) => Buffer.from(text).toString('hex')
      const want = [['x,1,一', 'x,,'], ['y,2,二', 'y,,'], ['z,3,三', 'z,,']] // prettier-ignore
      expect(pairs).to.deep.equal(want.map((pair) => pair.map(hex)))
    }
  })

  it('are told even when all that was written of them is taken back', () => {
    const body = Buffer.from('{"a":{"u":{"x":1}},"b":2}\n{"a":{"u":{"x":2}},"b":3}\n')
    const fields = { '$[*].b': 'keep', '$[*].a.*.y': 'keep' }
    for (let cut = 0; cut <= body.length; cut++) {
      const { bytes, pairs } = run(fields, body, LINES, [cut])
      expect(bytes.toString()).to.equal('{"a":{},"b":2}\n{"a":{},"b":3}\n')
      expect(pairs.map(([, forwarded]) => forwarded)).to.deep.equal(linesOf(bytes))
    }
  })
})

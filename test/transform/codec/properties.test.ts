/** What each codec owes: nothing that is not kept survives, what is kept is byte-exact, cuts change nothing. */
import { expect } from 'chai'
import fc from 'fast-check'
import { RUNS, SEED } from '../generators.ts'
import { compile } from '../policies.ts'
import { everyway, pieces, textOf, whole } from './both.ts'
import { type Row, WRITTEN } from './written.ts'

const FIELDS = ['a', 'b', 'c', '中文'] as const
const ACTIONS = ['keep', 'drop', 'length', 'constant', 'none'] as const
const texts = fc.constantFrom(
  '13800138000',
  '张三丰',
  '<&>',
  '"quoted"',
  'x,y',
  "it's",
  '😀',
  'line\r\nbreak',
  '|;',
)
/** Each value holds a number of its own, so that it can be told from all others. */
const rowOf = (id: number) =>
  fc
    .tuple(...FIELDS.map(() => texts))
    .map((values): Row =>
      Object.fromEntries(values.map((value, at) => [FIELDS[at] ?? '', `[${id}.${at}]${value}`])),
    )
const rows = fc
  .integer({ min: 1, max: 4 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, id) => rowOf(id))))
const actions = fc.tuple(...FIELDS.map(() => fc.constantFrom(...ACTIONS)))

for (const { name, format, hasRows, path, all, spell, body } of WRITTEN) {
  describe(`${name} (seed ${SEED})`, () => {
    it('keeps what is kept byte for byte, and nothing else', () => {
      fc.assert(
        fc.property(
          rows,
          actions,
          fc.array(fc.nat(), { maxLength: 5 }),
          (given, chosen, places) => {
            const used = hasRows ? given : given.slice(0, 1)
            const fields = Object.fromEntries(
              FIELDS.flatMap((field, at) =>
                chosen[at] === 'none' ? [] : [[path(field), chosen[at] ?? '']],
              ),
            )
            const { request } = compile({ fields }).route
            const input = Buffer.from(body(used))
            const got = whole(request, input, format)
            const cuts = places.map((place) => place % (input.length + 1)).sort((x, y) => x - y)
            expect(pieces(request, input, format, cuts)).to.deep.equal(got)
            // A table whose columns all go has no rows to show.
            if (typeof got === 'string') {
              expect(got).to.match(/^row-invalid: row 1: nothing/)
              return
            }
            const text = textOf(got)
            used.forEach((row, id) => {
              FIELDS.forEach((field, at) => {
                const kept = chosen[at] === 'keep'
                if (kept) expect(text).to.include(spell(row[field] ?? ''))
                else
                  expect(text)
                    .to.not.include(spell(`[${id}.${at}]`))
                    .and.not.include(`[${id}.${at}]`)
              })
            })
          },
        ),
        { numRuns: Math.ceil(RUNS / 10), seed: SEED },
      )
    }).timeout(Math.max(20_000, RUNS * 20))

    it('gives back a body of 2 KB byte for byte when all is kept, wherever it is cut', () => {
      const row = (id: number): Row =>
        Object.fromEntries(
          FIELDS.map((field, at) => [
            field,
            `[${id}.${at}] 张三丰,"<&>" ${'x'.repeat(hasRows ? 20 : 450)}`,
          ]),
        )
      const input = Buffer.from(body(Array.from({ length: hasRows ? 9 : 1 }, (_, id) => row(id))))
      expect(input.length).to.be.within(1500, 3000)
      const got = everyway(compile({ fields: { [all]: 'keep' } }).route.request, input, format)
      expect(textOf(got)).to.equal(input.toString())
    }).timeout(30_000)
  })
}

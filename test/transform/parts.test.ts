import { expect } from 'chai'
import fc from 'fast-check'
import { Problem } from '../../base/problem.ts'
import { createDetect, surely } from '../../gateway/guard/detect.ts'
import type { CompiledDirection } from '../../gateway/transform/compile.ts'
import { readFormat } from '../../gateway/transform/format.ts'
import { HELD_BYTES_MAX } from '../../gateway/transform/limits.ts'
import { inWindows, type TextParts } from '../../gateway/transform/parts.ts'
import { createRedact } from '../../gateway/transform/redact.ts'
import { rewriteBody } from '../../gateway/transform/rewrite.ts'
import { startBodyStream } from '../../gateway/transform/stream.ts'
import type { Rewritten } from '../../gateway/transform/transform.ts'
import { createCorpus } from '../fixtures/people/corpus.ts'
import { loadDictionary } from '../guard/dictionary.ts'
import { SEED } from './generators.ts'
import { compile, TABLE } from './policies.ts'

const detect = surely(createDetect(loadDictionary()))
const TEXTS = createCorpus(SEED, 3).map(({ text }) => text)
type Finding = ReturnType<typeof detect>[number]

/** `[kind]` for what is found; findings do not overlap. */
function replace(source: string, findings: readonly Finding[]): string {
  let text = ''
  let end = 0
  for (const finding of findings.toSorted((a, b) => a.start - b.start)) {
    text += `${source.slice(end, finding.start)}[${finding.kind}]`
    end = finding.end
  }
  return text + source.slice(end)
}

function write(parts: TextParts, text: string, sizes: readonly number[]): string {
  let out = ''
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    out += parts.write(text.slice(at, at + size))
    at += size
  }
  return out + parts.end()
}

/** The corpus's texts as one conversation. */
const conversation = fc
  .array(
    fc.tuple(fc.constantFrom(...TEXTS), fc.constantFrom('\n', '。', ' ', '，', '\r\n\r\n', '😀')),
    { minLength: 40, maxLength: 60, size: 'max' },
  ) // prettier-ignore
  .map((lines) => lines.map(([text, end]) => text + end).join(''))

describe('a text in windows', () => {
  it('loses what is lost in one piece, and nothing else, wherever it is cut', () => {
    let long = 0
    fc.assert(
      fc.property(
        conversation,
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
        (text, sizes) => {
          if (text.length > 512) long++
          const got = write(inWindows(detect, replace, 256), text, sizes)
          expect(got).to.equal(replace(text, detect(text)))
        },
      ),
      { numRuns: 200, seed: SEED },
    )
    expect(long).to.be.greaterThan(100)
  }).timeout(30_000)

  it('never gives out half of what is found, nor half a character', () => {
    const find = (text: string) =>
      [...text.matchAll(/<[^>]*>/g)].map(({ 0: { length }, index }) => ({ start: index, end: index + length, kind: 'x' })) // prettier-ignore
    const given: string[] = []
    const parts = inWindows(find, (text) => text, 64)
    const text = `${'😀'.repeat(20)}<${'a'.repeat(40)}>${'b'.repeat(9)}<c>`.repeat(30)
    for (const unit of text.split('')) given.push(parts.write(unit))
    given.push(parts.end())
    expect(given.join('')).to.equal(text)
    for (const part of given) {
      expect(part.isWellFormed()).to.equal(true)
      expect(part.split('<').length).to.equal(part.split('>').length)
    }
  })

  it('refuses what is found and has no end', () => {
    const parts = inWindows((text) => [{ start: 0, end: text.length }], (text) => text, 8) // prettier-ignore
    const flood = () => {
      for (let n = 0; n <= 2 * HELD_BYTES_MAX; n += 65_536) parts.write('x'.repeat(65_536))
    }
    expect(flood).to.throw(Problem, 'was found in the text').with.property('slug', 'body-too-large')
  })
})

describe('a long text', () => {
  const FORMAT = readFormat('text/plain', { format: 'text' })
  const table = new Map([...TABLE, ['redact', createRedact(detect)]])
  const of = (action: string): CompiledDirection => {
    const { request } = compile({ fields: { $: action } }, table).route
    return { ...request, body: { ...request.body, claims: undefined } }
  }
  const LINE = '客户电话13800138000，身份证11010519491231002X，请回电。\n'

  function streamed(direction: CompiledDirection, body: Buffer, size: number) {
    const stream = startBodyStream(direction, FORMAT)
    const out: Buffer[] = []
    let held = 0
    for (let at = 0; at < body.length; at += size) {
      out.push(stream.write(body.subarray(at, at + size)).bytes)
      held = Math.max(held, at + size - out.reduce((sum, { length }) => sum + length, 0))
    }
    const last = stream.end()
    return { text: Buffer.concat([...out, last.bytes]).toString(), held, last }
  }

  // prettier-ignore
  const STREAMED: readonly [action: string, unit: string][] = [
    ['keep',   LINE],
    ['redact', '客户电话[mobile]，身份证[resident-id]，请回电。\n'],
  ]
  for (const [action, unit] of STREAMED) {
    it(`is given out while it comes where its rule is ${action}`, () => {
      const { text, held, last } = streamed(of(action), Buffer.from(LINE.repeat(30_000)), 16_381)
      expect(text === unit.repeat(30_000)).to.equal(true)
      if (action === 'keep') expect(held).to.be.lessThan(16_384)
      expect(last.manifest).to.deep.equal([{ rule: 'R1', path: '$', action, count: 1 }])
    }).timeout(20_000)

    it(`is the same in one piece where its rule is ${action}, whatever it is`, () => {
      for (const text of ['', 'a', LINE, '中', ...TEXTS.slice(0, 40)]) {
        const body = Buffer.from(text)
        const whole = rewriteBody(of(action), body, FORMAT) as Rewritten
        for (const size of [1, 2, 5, 1000]) {
          const { last, text: got } = streamed(of(action), body, size)
          expect(got).to.equal(whole.bytes.toString())
          expect(last.manifest).to.deep.equal(whole.manifest)
        }
      }
    })
  }

  it('must be short for any other rule, and where somebody wants all of it', () => {
    const long = Buffer.from(LINE.repeat(30_000))
    expect(() => streamed(of('length'), long, 65_536)).to.throw(Problem, 'undecided')
    const { request } = compile({ fields: { $: 'keep' }, links: { loan: '$' } }).route
    const wanted = { ...request, body: { ...request.body, claims: undefined } }
    expect(() => streamed(wanted, long, 65_536)).to.throw(Problem, 'undecided')
    expect(streamed(wanted, Buffer.from('L-1'), 1).last.captured.get('links.loan')?.reveal()).to.equal('L-1') // prettier-ignore
  })

  it('may not pass where no rule names it', () => {
    const { request } = compile({ fields: { '$.a': 'keep' } }).route
    expect(() => streamed(request, Buffer.from('x'), 1)).to.throw(Problem, 'may not pass')
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { carriedBy } from '../../gateway/guard/carriers.ts'
import { createDetect } from '../../gateway/guard/detect.ts'
import { visitSuspicious } from '../../gateway/guard/json-values.ts'
import { REFUSE_SCORE } from '../../gateway/guard/limits.ts'
import { createNames, NO_NAME } from '../../gateway/guard/names.ts'
import { deservesLook } from '../../gateway/guard/plain-value.ts'
import { createCorpus } from '../fixtures/people/corpus.ts'
import { loadDictionary } from './dictionary.ts'

const kinds = loadDictionary()
const detect = createDetect(kinds)
const isClean = (text: string) => detect(text).length + carriedBy(text).length === 0
const corpus = createCorpus(5, 8).map(({ text }) => text)

/** Whether the detectors, asked about every value, would refuse. */
function isLeak(text: string, field: string, depth = 0): boolean {
  const refused = (kind: string) => kinds.get(kind)?.guard === 'refuse'
  if (detect(text, field).some((hit) => hit.score >= REFUSE_SCORE && refused(hit.kind))) return true
  return (
    depth < 4 && carriedBy(text).some((each) => isLeak(each.text, each.name ?? field, depth + 1))
  )
}

/**
 * What is passed over on purpose: masks, times, a label with nothing but letters behind it. And what
 * the detectors alone would take, though nobody writes it so: `::1`, an image or a vehicle in lower case.
 */
const PASSED_OVER =
  /\*|^\d{4}-\d\d-\d\d[T ]|^[^\d:]*(?:password|pwd|otp|cv[vcn]|code|thru|expiry)[^\d:]*$|::|^\/9j\/|[a-z0-9]{17}/

const of = (alphabet: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength })
const DIGITS = '0123456789'
const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const UPPER = LOWER.toUpperCase()
const bland = fc.oneof(of(DIGITS, 1, 4), of(LOWER, 1, 7), of('ABPVX', 1, 3), of(' -./_+,', 1, 2))
const rich = fc.oneof(
  of(DIGITS, 5, 12),
  of(DIGITS + UPPER, 6, 18),
  fc
    .tuple(of(UPPER, 1, 3), of(DIGITS, 5, 11), fc.constantFrom('', 'A', 'X'))
    .map((all) => all.join('')),
  fc.constantFrom(
    'LFV3A23C083012345',
    '92110105MA01ABCDE3',
    'A0000012345678',
    'iVBORw0KGgoAAAANSUhEUgAA',
  ),
  of('0123456789abcdef', 8, 20),
  fc.constantFrom(...corpus),
  fc.constantFrom(...corpus).map((text) => text.slice(0, 10)),
  fc.constantFrom(...corpus).map((text) => Buffer.from(text).toString('base64')),
  fc.constantFrom(...corpus).map((text) => Buffer.from(text).toString('hex')),
  fc.constantFrom('cvv', 'pwd ', 'otp:', 'expiry ', '验证码', '手机', 'hkid', '张三', '客户'),
  fc.constantFrom('A123456(3)', 'E12345678', '京A12345', '138 0013 8000', '192.0.2.17', '1380013'),
  fc.constantFrom('0755-1234567', '39.9042,116.4074', '00-1A-2B-3C-4D-5E', '10.1.2.3', '@a.cn'),
)
const value = fc
  .array(fc.oneof({ weight: 3, arbitrary: bland }, { weight: 1, arbitrary: rich }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((pieces) => pieces.join(''))
const field = fc.constantFrom('note', 'status', 'mobile', 'name', 'amount', 'idno', 'orderno', 'qq')

describe('the choice of values to look at', () => {
  it('passes over nothing that the detectors would refuse', () => {
    const names = createNames(kinds, isClean)
    let leaks = 0
    fc.assert(
      fc.property(value, field, (text, name) => {
        fc.pre(!PASSED_OVER.test(text))
        let visited = false
        visitSuspicious(Buffer.from(JSON.stringify({ [name]: text })), names, () => {
          visited = true
        })
        if (!isLeak(text, name)) return
        leaks++
        expect(visited, text).to.equal(true)
        const bytes = Buffer.from(name)
        const said = names.at(bytes, 0, bytes.length, NO_NAME)
        expect(deservesLook(text, said), text).to.equal(true)
      }),
      { numRuns: 20_000 },
    )
    expect(leaks).to.be.above(1000)
  })

  it('asks a text the same as its bytes, or is stricter', () => {
    const any = fc.oneof(
      value,
      fc.string({ unit: 'binary', maxLength: 40 }),
      of('\\"\u0007 1', 1, 9),
    )
    const names = createNames(kinds, isClean)
    let equal = 0
    fc.assert(
      fc.property(any, field, (text, name) => {
        let visited = false
        visitSuspicious(Buffer.from(JSON.stringify({ [name]: text })), names, () => {
          visited = true
        })
        const bytes = Buffer.from(name)
        const looked = deservesLook(text, names.at(bytes, 0, bytes.length, NO_NAME))
        if (visited) expect(looked, text).to.equal(true)
        if (looked === visited) equal++
      }),
      { numRuns: 10_000 },
    )
    expect(equal).to.be.above(9_000)
  })

  it('reads the same from bytes whose names it knows by their order as from new ones', () => {
    const words = fc.constantFrom('a', 'name', 'mobile', 'mob', 'na\\u006de', '', '"', '姓名')
    const object = fc.array(fc.tuple(words, fc.constantFrom('1', '"张三"', '{"b":2}', '[1]')))
    const write = (members: readonly (readonly [string, string])[]) =>
      Buffer.from(`{${members.map(([name, json]) => `"${name}":${json}`).join()}}`)
    const visits = (bytes: Buffer, names: ReturnType<typeof createNames>) => {
      const seen: string[] = []
      visitSuspicious(bytes, names, ({ start, end, name, depth }) =>
        seen.push(`${start} ${end} ${name.text} ${depth}`),
      )
      return seen
    }
    const old = createNames(kinds, isClean)
    fc.assert(
      fc.property(object, (members) => {
        const bytes = write(members)
        visits(bytes, old)
        expect(visits(bytes, old)).to.deep.equal(visits(bytes, createNames(kinds, isClean)))
      }),
    )
  })
})

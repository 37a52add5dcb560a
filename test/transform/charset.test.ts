import { expect } from 'chai'
import fc from 'fast-check'
import { Problem } from '../../base/problem.ts'
import { startTranscoder } from '../../gateway/transform/charset.ts'

const CHARSETS = ['gbk', 'gb18030'] as const
type Foreign = (typeof CHARSETS)[number]

/** The charset as the platform's decoder has it, one character at a time; undefined when it is refused. */
function reference(charset: Foreign, bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder(charset, { fatal: true }).decode(bytes)
    const again = startTranscoder(charset).encode(Buffer.from(text))
    return again.equals(bytes) ? text : undefined
  } catch {
    return undefined // Not in the character set; or decoded to what it has no bytes for.
  }
}

function inPieces(charset: Foreign, bytes: Buffer, cuts: readonly number[]): string | undefined {
  const { decode } = startTranscoder(charset)
  const ends = [...cuts, bytes.length]
  try {
    const parts = ends.map((end, index) => {
      // The caller's memory is used again for the next part.
      const part = Buffer.from(bytes.subarray(ends[index - 1] ?? 0, end))
      const text = Buffer.from(decode(part, index === cuts.length))
      part.fill(0x81)
      return text
    })
    return Buffer.concat(parts).toString()
  } catch (error) {
    if (error instanceof Problem && error.slug === 'body-malformed') return undefined
    throw error
  }
}

const lead = fc.integer({ min: 0x80, max: 0xff })
const unit = fc.oneof(
  fc.constantFrom(0x41, 0x7c, 0x0a, 0x30, 0x81).map((byte) => [byte]),
  fc.tuple(lead, fc.integer({ min: 0x30, max: 0xff })),
  fc.tuple(lead, fc.integer({ min: 0x30, max: 0x39 }), lead, fc.integer({ min: 0x2f, max: 0x3a })),
  fc
    .constantFrom('张', '€', '㐀', 'ü', '𠮷', '\ue000', '\u0000')
    .map((text) => [...encodeWide(text)]),
)
const encodeWide = (text: string) => startTranscoder('gb18030').encode(Buffer.from(text))
const input = fc.array(unit, { maxLength: 6 }).map((units) => Buffer.from(units.flat()))

describe('GBK and GB 18030', () => {
  for (const charset of CHARSETS) {
    it(`${charset}: reads what the platform's decoder reads and what comes back, wherever it is cut`, () => {
      let read = 0
      fc.assert(
        fc.property(input, fc.array(fc.nat(24), { maxLength: 3 }), (bytes, places) => {
          const want = reference(charset, bytes)
          const cuts = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b)
          expect(inPieces(charset, bytes, cuts)).to.equal(want)
          if (want !== undefined && want !== '') read++
        }),
        { numRuns: 5000 },
      )
      expect(read).to.be.above(200)
    })

    it(`${charset}: reads every pair of bytes as the platform's decoder does, or refuses it`, () => {
      let read = 0
      for (let first = 0x80; first <= 0xff; first++) {
        for (let second = 0; second <= 0xff; second++) {
          const bytes = Buffer.from([first, second])
          const got = inPieces(charset, bytes, [1])
          if (got === undefined) continue
          expect(got, bytes.toString('hex')).to.equal(reference(charset, bytes))
          read++
        }
      }
      // GBK has 21,886 characters of two bytes, and the private ones besides.
      expect(read).to.be.within(21_000, 24_066)
    })
  }

  it('moves places along with the characters around them', () => {
    const text = 'a张|三𠮷\nb'
    const places = [0, 4, 5, 8, 12, 13, 14]
    const bytes = Buffer.from(text)
    const { encode } = startTranscoder('gb18030')
    const cuts = [...places]
    const encoded = encode(bytes, cuts)
    expect(encoded.equals(encode(bytes))).to.equal(true)
    for (const [index, place] of places.entries())
      expect(cuts[index]).to.equal(encode(bytes.subarray(0, place)).length)
  })

  // prettier-ignore
  const REFUSED: [charset: Foreign, hex: string, detail: RegExp][] = [
    ['gbk',     '4180',       /^at byte 1: /],
    ['gbk',     '41d5c5ff41', /^at byte 3: expected gbk$/],
    ['gbk',     'd5c581308130', /^at byte 2: /],
    ['gbk',     'd5',         /^at byte 0: expected gbk$/],
    ['gb18030', 'd5c58130',   /^at byte 2: expected gb18030$/],
    ['gb18030', '41fe39fe39', /^at byte 1: expected gb18030$/],
  ]
  for (const [charset, hex, detail] of REFUSED) {
    it(`${charset} refuses ${hex}, and says where`, () => {
      const bytes = Buffer.from(hex, 'hex')
      for (let cut = 0; cut <= bytes.length; cut++) {
        const { decode } = startTranscoder(charset)
        const run = () => [decode(bytes.subarray(0, cut), false), decode(bytes.subarray(cut), true)]
        expect(run, `cut at ${cut}`)
          .to.throw(Problem, detail)
          .with.property('slug', 'body-malformed')
      }
    })
  }

  it('refuses to write what the character set lacks', () => {
    const { encode } = startTranscoder('gbk')
    for (const text of ['𠮷', '\u0e01', 'a\ufffd']) {
      expect(() => encode(Buffer.from(text)), text)
        .to.throw(Problem, 'has a character that gbk lacks')
        .with.property('slug', 'value-unsuitable')
    }
  })
})

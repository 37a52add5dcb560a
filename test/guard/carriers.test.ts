import { expect } from 'chai'
import fc from 'fast-check'
import { isUtf8 } from 'node:buffer'
import { carriedBy } from '../../gateway/guard/carriers.ts'

/** What base64 and hexadecimal carry, said by patterns. */
function reference(text: string): string[] {
  const found: string[] = []
  const add = (carrier: string, bytes: Buffer) => {
    const isText = bytes.length >= 6 && isUtf8(bytes) && !/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(bytes.toString('latin1')) // prettier-ignore
    if (isText) found.push(`${carrier} ${bytes.toString()}`)
  }
  for (const run of text.match(/[A-Za-z0-9+/_-]{8,}/g) ?? []) {
    const pieces = /[/_-]/.test(run) ? (run.match(/[A-Za-z0-9+]{8,}/g) ?? []) : []
    for (const piece of [run, ...pieces]) {
      if (/^[CI-Za-fw-z0-9].*[A-Z]|^[CI-Z]/.test(piece)) add('base64', Buffer.from(piece, 'base64'))
    }
  }
  for (const run of text.match(/[0-9A-Fa-f]{12,}/g) ?? []) {
    if (run.length % 2 === 0) add('hex', Buffer.from(run, 'hex'))
  }
  return found
}

const hidden = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 4, maxLength: 20 }),
    fc.constantFrom('张三 13800138000'),
  )
  .map((text) => Buffer.from(text))
const piece = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ABCIWXabgwz0189+/_-'), maxLength: 14 }),
  fc.string({ unit: fc.constantFrom(...' ,.:|张é\u0000'), maxLength: 2 }),
  hidden.map((bytes) => bytes.toString('base64')),
  hidden.map((bytes) => bytes.toString('base64url')),
  hidden.map((bytes) => bytes.toString('hex')),
  fc
    .uint8Array({ minLength: 6, maxLength: 12 })
    .map((bytes) => Buffer.from(bytes).toString('base64')),
)

describe('what a text carries', () => {
  it('is, in base64 and hexadecimal, what the patterns say', () => {
    let found = 0
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
        const text = pieces.join('').replaceAll('=', ' ')
        const got = carriedBy(text).map(({ carrier, text: inside }) => `${carrier} ${inside}`)
        expect(got, text).to.deep.equal(reference(text))
        found += got.length
      }),
      { numRuns: 10_000 },
    )
    expect(found).to.be.above(1000)
  })
})

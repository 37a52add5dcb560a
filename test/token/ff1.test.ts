import { FF1 as NobleFf1 } from '@noble/ciphers/ff1.js'
import { expect } from 'chai'
import fc from 'fast-check'
import { createFf1 } from '../../gateway/token/ff1.ts'
import { hex, readWycheproof } from './wycheproof.ts'

const toNumber = (digits: readonly number[], radix: number) =>
  digits.reduce((sum, digit) => sum * BigInt(radix) + BigInt(digit), 0n)
const toDigits = (number: bigint, radix: number, length: number) =>
  Array.from({ length }, (_, index) =>
    Number((number / BigInt(radix) ** BigInt(length - 1 - index)) % BigInt(radix)),
  )

describe('FF1', () => {
  interface Group {
    radix: number
    alphabet?: string
  }
  interface Vector {
    key: string
    tweak: string
    msg: string | number[]
    ct: string | number[]
    flags: string[]
  }
  const FILES: [string, number][] = [
    ['aes_ff1_radix10_test.json', 3845],
    ['aes_ff1_radix36_test.json', 2854],
    ['aes_ff1_base36_test.json', 2854],
  ]
  for (const [name, size] of FILES) {
    it(`agrees with every vector of ${name}`, () => {
      const file = readWycheproof<Group, Vector>(name)
      let count = 0
      for (const { radix, alphabet, tests } of file.testGroups) {
        const numerals = (text: string | number[]) =>
          typeof text === 'string' ? [...text].map((sign) => (alphabet ?? '').indexOf(sign)) : text
        for (const { tcId, key, tweak, msg, ct, result, flags } of tests) {
          count++
          const [clear, sealed] = [numerals(msg), numerals(ct)]
          const prepare = () => createFf1(hex(key), radix, clear.length, hex(tweak))
          if (flags.includes('InvalidPlaintext')) {
            // Formats never yield such a numeral: their alphabets have `radix` signs.
            expect(
              clear.some((digit) => digit < 0 || digit >= radix),
              `${tcId}`,
            ).to.equal(true)
          } else if (result !== 'valid' || flags.includes('SmallMessageSize')) {
            expect(prepare, `${tcId} ${flags}`).to.throw(/FF1 domain|Unknown cipher/i)
          } else {
            const ff1 = prepare()
            expect(ff1.encrypt(toNumber(clear, radix)), `${tcId}`).to.equal(toNumber(sealed, radix))
            expect(ff1.decrypt(toNumber(sealed, radix)), `${tcId}`).to.equal(toNumber(clear, radix))
          }
        }
      }
      expect(count).to.equal(file.numberOfTests).and.to.equal(size)
    })
  }

  it('agrees with @noble/ciphers for any key, radix, length and tweak', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    const input = fc
      .tuple(bytes(32), fc.integer({ min: 2, max: 500 }), fc.uint8Array({ maxLength: 40 }))
      .chain(([key, radix, tweak]) => {
        const least = Math.ceil(6 / Math.log10(radix))
        const digits = fc.array(fc.integer({ min: 0, max: radix - 1 }), {
          minLength: least,
          maxLength: least + 24,
        })
        return fc.record({
          key: fc.constant(key),
          radix: fc.constant(radix),
          tweak: fc.constant(tweak),
          digits,
        })
      })
    fc.assert(
      fc.property(input, ({ key, radix, tweak, digits }) => {
        const want = NobleFf1(radix, key, tweak).encrypt(digits)
        const made = createFf1(key, radix, digits.length, tweak).encrypt(toNumber(digits, radix))
        expect(toDigits(made, radix, digits.length)).to.deep.equal(want)
      }),
    )
  })

  it('refuses a domain below a million', () => {
    const key = new Uint8Array(32)
    for (const [radix, length] of [
      [10, 5],
      [2, 19],
      [36, 3],
      [999_999, 1],
    ] as const) {
      expect(() => createFf1(key, radix, length), `${radix}^${length}`).to.throw(RangeError)
    }
    expect(() => createFf1(key, 10, 6)).to.not.throw()
    expect(() => createFf1(key, 2, 20)).to.not.throw()
  })
})

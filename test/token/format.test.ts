import { expect } from 'chai'
import fc from 'fast-check'
import type { Domain } from '../../gateway/token/domain.ts'
import { createFormatCipher, type FormatCipher } from '../../gateway/token/format-token.ts'
import {
  FORMAT_KINDS,
  type Format,
  formatOfTemplate,
  formatsOfKind,
  isFormatToken,
} from '../../gateway/token/format.ts'
import { throwawayKeyRing } from '../../gateway/token/ring.ts'
import { createDetect } from '../../gateway/guard/detect.ts'
import {
  isMobile,
  parseResidentId,
  passesLuhn,
  residentCheckDigit,
} from '../../gateway/guard/validators.ts'
import { loadDictionary } from '../guard/dictionary.ts'

const ring = throwawayKeyRing()
const DOMAIN: Domain = { owner: 'sunrise', holder: 'harbour', purpose: 'credit', kind: 'x' }
const cipherOf = (kind: string, domain: Partial<Domain> = {}): FormatCipher =>
  createFormatCipher(ring, { ...DOMAIN, kind, ...domain }, formatsOfKind(kind))

const digits = (length: number) =>
  fc
    .bigInt({ min: 0n, max: 10n ** BigInt(length) - 1n })
    .map((n) => String(n).padStart(length, '0'))
const date = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2025-12-31'), noInvalidDate: true })
  .map((day) => day.toISOString().slice(0, 10).replaceAll('-', ''))
const residentId = fc
  .tuple(fc.integer({ min: 110000, max: 659999 }), date, digits(3))
  .map(([region, day, sequence]) => `${region}${day}${sequence}`)
  .map((payload) => payload + residentCheckDigit(payload))
const card = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 11, max: 17 }).chain(digits))
  .map(([first, rest]) => `${first}${rest}`)
  .map((payload) => payload + [...'0123456789'].find((digit) => passesLuhn(payload + digit)))
const CLEAR = {
  mobile: fc.tuple(fc.integer({ min: 3, max: 9 }), digits(9)).map(([d, rest]) => `1${d}${rest}`),
  'resident-id': residentId,
  'bank-card': card,
}

describe('format-preserving tokens', () => {
  const detect = createDetect(loadDictionary())
  for (const kind of FORMAT_KINDS) {
    const cipher = cipherOf(kind)
    const mint = (clear: string) => cipher.mint(clear) ?? ''

    it(`${kind}: come back, keep their length, and are recognised`, () => {
      fc.assert(
        fc.property(CLEAR[kind], (clear) => {
          const token = mint(clear)
          expect(token).to.have.length(clear.length)
          expect(token).to.match(/^\d+X?$/)
          expect(isFormatToken(kind, token)).to.equal(true)
          expect(isFormatToken(kind, clear)).to.equal(false)
          expect(cipher.mint(token), 'tokenized again').to.equal(undefined)
          expect(cipher.reveal(token)).to.equal(clear)
          expect(cipher.reveal(clear), 'a clear value').to.equal(undefined)
        }),
      )
    })

    it(`${kind}: are nobody's valid identifier, and no detector finds them`, () => {
      fc.assert(
        fc.property(CLEAR[kind], (clear) => {
          const token = mint(clear)
          expect(isMobile(token)).to.equal(false)
          expect(parseResidentId(token)).to.equal(undefined)
          if (kind === 'bank-card') expect(passesLuhn(token)).to.equal(false)
          if (kind === 'resident-id') {
            expect(residentCheckDigit(token)).to.not.equal(token.at(-1))
          }
          expect(detect(token)).to.deep.equal([])
          expect(detect(`号码${token}，`)).to.deep.equal([])
          expect(detect(token, kind === 'resident-id' ? 'idNumber' : kind)).to.deep.equal([])
        }),
      )
    })

    it(`${kind}: differ in another domain`, () => {
      const other = cipherOf(kind, { holder: 'island' })
      fc.assert(
        fc.property(CLEAR[kind], (clear) => {
          expect(other.mint(clear)).to.not.equal(mint(clear))
          expect(other.reveal(mint(clear))).to.not.equal(clear)
        }),
        { numRuns: 30 },
      )
    })
  }

  // Whatever a recipient makes up: the format reads it below its size, so that the walk ends.
  const MADE_UP = {
    mobile: fc.tuple(fc.integer({ min: 2, max: 7 }), digits(10)).map((parts) => parts.join('')),
    'resident-id': fc
      .tuple(digits(9), digits(6), fc.constantFrom(...'0123456789X'))
      .map(([a, b, c]) => `0${a}9${b}${c}`),
    'bank-card': fc
      .integer({ min: 12, max: 18 })
      .chain(digits)
      .map((rest) => `0${rest}`),
  }
  for (const kind of FORMAT_KINDS) {
    it(`${kind}: made up, are refused or have a valid value`, () => {
      const cipher = cipherOf(kind)
      fc.assert(
        fc.property(MADE_UP[kind], (token) => {
          for (const format of formatsOfKind(kind)) {
            expect((format.read(token) ?? 0n) < format.size).to.equal(true)
          }
          const clear = cipher.reveal(token)
          if (clear !== undefined) expect(cipher.mint(clear)).to.equal(token)
        }),
      )
    })
  }

  // prettier-ignore
  const REJECT: [kind: string, value: string][] = [
    ['mobile', '12800138000'], ['mobile', '1380013800'], ['mobile', '+8613800138000'], ['mobile', '138 0013 8000'], ['mobile', ''],
    ['resident-id', '110105194912310021'], ['resident-id', '110105194902310020'], ['resident-id', '110105491231002'], ['resident-id', '11010518991231002X'],
    ['bank-card', '6217000012345678908'], ['bank-card', '0217000012345678907'], ['bank-card', '621700001234'], ['bank-card', '62170000123456789071'],
  ]
  for (const [kind, value] of REJECT) {
    it(`${kind}: \`${value}\` is not of the form`, () => {
      expect(cipherOf(kind).mint(value)).to.equal(undefined)
    })
  }

  it('take the first day of the calendar and the last', () => {
    const cipher = cipherOf('resident-id')
    for (const day of ['19000101', '20991231']) {
      const clear = `110105${day}002${residentCheckDigit(`110105${day}002`)}`
      expect(cipher.reveal(cipher.mint(clear) ?? '')).to.equal(clear)
    }
  })

  it('give a small x the token of a capital X', () => {
    const cipher = cipherOf('resident-id')
    expect(cipher.mint('11010519491231002x')).to.equal(cipher.mint('11010519491231002X'))
  })
})

describe('format templates', () => {
  const format = (template: string, as: string): Format => {
    const made = formatOfTemplate(template, as)
    if (typeof made === 'string') throw new Error(made)
    return made
  }

  it('round-trip any number, letters and fixed signs included', () => {
    const passport = format('E@#######', 'T@#######')
    const cipher = createFormatCipher(ring, DOMAIN, [passport])
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: passport.size - 1n }), (rank) => {
        const clear = passport.unrank(rank) ?? ''
        expect(clear).to.match(/^E[A-Z]\d{7}$/)
        expect(passport.rank(clear)).to.equal(rank)
        const token = cipher.mint(clear) ?? ''
        expect(token).to.match(/^T[A-Z]\d{7}$/)
        expect(cipher.reveal(token)).to.equal(clear)
        expect(cipher.mint(token)).to.equal(undefined)
      }),
    )
  })

  it('read regular-expression signs as themselves', () => {
    const odd = format('.*(######)+', '.*[######)+')
    expect(odd.rank('.*(000042)+')).to.equal(42n)
    expect(odd.rank('xx(000042)+')).to.equal(undefined)
    expect(odd.write(42n)).to.equal('.*[000042)+')
  })

  // prettier-ignore
  const MISTAKES: [template: string, as: string, want: RegExp][] = [
    ['@@@@',      'T@@@',      /the same/],
    ['E########', 'E########', /another fixed sign/],
    ['########',  '########',  /another fixed sign/],
    ['1######',   '######1',   /the same|another fixed sign/],
    ['E######',   'TT######',  /one length/],
    ['E#@####',   'T@#####',   /the same/],
  ]
  for (const [template, as, want] of MISTAKES) {
    it(`refuse ${template} as ${as}`, () => expect(formatOfTemplate(template, as)).to.match(want))
  }
})

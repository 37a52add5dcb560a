import { expect } from 'chai'
import fc from 'fast-check'
import * as is from '../../gateway/guard/validators.ts'

const TODAY = new Date('2026-11-24T00:00:00Z')
// prettier-ignore
const RESIDENT_IDS = [
  { name: 'an id that ends in X',         text: '11010519491231002X', want: { form: 'resident',  birthDate: '1949-12-31', sex: 'female', checked: true,  provinceKnown: true } },
  { name: 'a lower-case x',               text: '11010519491231002x', want: { form: 'resident',  birthDate: '1949-12-31', sex: 'female', checked: true,  provinceKnown: true } },
  { name: 'a man of Chengdu',             text: '510100199001011235', want: { form: 'resident',  birthDate: '1990-01-01', sex: 'male',   checked: true,  provinceKnown: true } },
  { name: 'a woman of Shenzhen',          text: '440300199510051027', want: { form: 'resident',  birthDate: '1995-10-05', sex: 'female', checked: true,  provinceKnown: true } },
  { name: 'a wrong check digit',          text: '510100199001011234', want: { form: 'resident',  birthDate: '1990-01-01', sex: 'male',   checked: false, provinceKnown: true } },
  { name: 'fifteen digits',               text: '110105491231002',    want: { form: 'legacy',    birthDate: '1949-12-31', sex: 'female', checked: false, provinceKnown: true } },
  { name: 'a Hong Kong resident\'s permit', text: '810000198001010014', want: { form: 'settled', birthDate: '1980-01-01', sex: 'male',   checked: true,  provinceKnown: true } },
  { name: 'a Macau resident\'s permit',   text: '820000197512120036', want: { form: 'settled',   birthDate: '1975-12-12', sex: 'male',   checked: true,  provinceKnown: true } },
  { name: 'a Taiwan resident\'s permit',  text: '830000199003071230', want: { form: 'settled',   birthDate: '1990-03-07', sex: 'male',   checked: true,  provinceKnown: true } },
  { name: 'a five-star card',             text: '911840198810140002', want: { form: 'five-star', birthDate: '1988-10-14', sex: 'female', checked: true,  provinceKnown: true } },
  { name: 'a leap day',                   text: '11010520000229001X', want: { form: 'resident',  birthDate: '2000-02-29', sex: 'male',   checked: false, provinceKnown: true } },
  { name: 'an unknown province',          text: '990105194912310029', want: { form: 'five-star', birthDate: '1949-12-31', sex: 'female', checked: false, provinceKnown: false } },
]
// prettier-ignore
const NO_RESIDENT_IDS = [
  { name: 'a day that does not exist', text: '11010519490231002X' },
  { name: 'a leap day in a common year', text: '110105190002290019' },
  { name: 'a birth in the future',     text: '11010520261125002X' },
  { name: 'a birth before 1890',       text: '110105188912310029' },
  { name: 'a leading zero',            text: '01010519491231002X' },
  { name: 'seventeen digits',          text: '11010519491231002' },
  { name: 'nineteen digits',           text: '1101051949123100211' },
  { name: 'a letter inside',           text: '1101051949123100A1' },
  { name: 'nothing',                   text: '' },
]

describe('parseResidentId', () => {
  for (const { name, text, want } of RESIDENT_IDS) {
    it(`reads ${name}`, () => {
      expect(is.parseResidentId(text, TODAY)).to.deep.equal({ region: text.slice(0, 6), ...want })
    })
  }
  for (const { name, text } of NO_RESIDENT_IDS) {
    it(`refuses ${name}`, () => expect(is.parseResidentId(text, TODAY)).to.equal(undefined))
  }
  it('finds every mistyped digit by the check digit', () => {
    const position = fc.integer({ min: 0, max: 16 })
    const digits = fc.string({
      unit: fc.constantFrom(...'0123456789'),
      minLength: 17,
      maxLength: 17,
    })
    fc.assert(
      fc.property(digits, position, fc.integer({ min: 1, max: 9 }), (text, at, add) => {
        const other = `${text.slice(0, at)}${(Number(text[at]) + add) % 10}${text.slice(at + 1)}`
        expect(is.residentCheckDigit(other)).to.not.equal(is.residentCheckDigit(text))
      }),
    )
  })
})

// prettier-ignore
const SHAPES: { unit: (text: string) => boolean; accept: string[]; reject: string[] }[] = [
  { unit: is.passesLuhn, accept: ['6217000012345678907', '6228480012345678903', '6259123456789010', '356938035643809', '0'], reject: ['6217000012345678908', '1', ''] },
  { unit: is.isMobile,   accept: ['13800138000', '19912345678'],                       reject: ['12800138000', '1380013800', '138001380000', '+8613800138000', ''] },
  { unit: is.isUscc,     accept: ['91350100M000100Y43', '91110108551385082Q'],         reject: ['91350100M000100Y44', '91350100I000100Y43', '9135', ''] },
  { unit: is.isHkid,     accept: ['A123456(3)', 'G123456(A)', 'L555555(0)', 'AB987654(3)', 'A1234563'], reject: ['A123456(4)', 'A12345(3)', '1234567', ''] },
  { unit: is.isTwid,     accept: ['A123456789'],                                       reject: ['A123456788', 'A323456789', ''] },
  { unit: is.isVin,      accept: ['1M8GDM9AXKP042788', '11111111111111111'],           reject: ['1M8GDM9AXKP042789', '1M8GDM9AIKP042788', ''] },
]

describe('validators', () => {
  for (const { unit, accept, reject } of SHAPES) {
    for (const text of accept)
      it(`${unit.name} accepts ${text}`, () => expect(unit(text)).to.equal(true))
    for (const text of reject)
      it(`${unit.name} refuses "${text}"`, () => expect(unit(text)).to.equal(false))
  }
  it('names the scheme of a card by range and length', () => {
    expect(is.bankCardIssuer('6217000012345678907')).to.equal('unionpay')
    expect(is.bankCardIssuer('4111111111111111')).to.equal('visa')
    expect(is.bankCardIssuer('41111111111111')).to.equal(undefined)
    expect(is.bankCardIssuer('1234567890123456')).to.equal(undefined)
  })
  it('normalises full-width text without moving anything', () => {
    expect(is.toAscii('张１３８Ｘ　（Ａ）')).to.equal('张138X (A)')
  })
})

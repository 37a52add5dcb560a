import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { createReport } from '../../base/diagnostic.ts'
import { parseKinds } from '../../gateway/guard/kinds.ts'
import { VALIDATORS } from '../../gateway/guard/validator-table.ts'
import { loadDictionary } from './dictionary.ts'

const SOURCE = readFileSync(new URL('../../policies/kinds.yaml', import.meta.url), 'utf8')
const kinds = loadDictionary()

describe('policies/kinds.yaml', () => {
  it('names only validators that exist', () => {
    const missing = kinds.all.filter(
      ({ validator }) => validator !== undefined && !(validator in VALIDATORS),
    )
    expect(missing.map((kind) => kind.id)).to.deep.equal([])
  })
  it('refuses every C3 kind', () => {
    const c3 = kinds.all.filter((kind) => kind.class === 'C3')
    expect(c3.map((kind) => kind.id)).to.deep.equal([
      'password',
      'sms-code',
      'cvv',
      'card-expiry',
      'card-track',
      'biometric',
    ])
    expect(c3.every((kind) => kind.guard === 'refuse' && kind.level >= 4)).to.equal(true)
  })
  it('holds the two deny lists of 征信业管理条例 Art. 14', () => {
    expect([...kinds.deny.never]).to.deep.equal([
      'religion',
      'gene',
      'biometric',
      'blood-type',
      'disease',
    ])
    expect([...kinds.deny.writtenConsent]).to.deep.equal([
      'income',
      'deposit',
      'securities',
      'insurance',
      'real-estate',
      'tax',
    ])
  })
})

// prettier-ignore
const FIELDS: { name: string; want: string[]; business?: true }[] = [
  { name: 'idCardNo',           want: ['resident-id'] },
  { name: 'applicant_id_number', want: ['hkid', 'passport', 'resident-id', 'travel-permit', 'twid'] },
  { name: 'SPOUSE-MOBILE',      want: ['mobile'] },
  { name: 'mobile2',            want: ['mobile'] },
  { name: 'homeaddress',        want: ['address'] },
  { name: '借款人手机号',       want: ['mobile'] },
  { name: 'clientIp',           want: ['ip-address'] },
  { name: 'deviceFingerprint',  want: ['device-id'] },
  { name: 'fingerprint',        want: ['biometric'] },
  { name: 'track2',             want: ['card-track'] },
  { name: 'orderNo',            want: [], business: true },
  { name: 'zip',                want: [] },
  { name: 'flat',               want: [] },
  { name: 'hotel',              want: [] },
  { name: 'company',            want: [] },
  { name: '',                   want: [] },
]

describe('names of fields', () => {
  for (const { name, want, business = false } of FIELDS) {
    it(`reads \`${name}\``, () => {
      const meaning = kinds.fields.of(name)
      expect([...meaning.kinds].sort()).to.deep.equal(want)
      expect(meaning.business).to.equal(business)
    })
  }
})

// prettier-ignore
const MISTAKES: { name: string; from: string; to: string; want: string }[] = [
  { name: 'an unknown class',          from: 'class: C2',                 to: 'class: C4',               want: '`C4` is not a JR/T 0171 class' },
  { name: 'an unknown key',            from: 'level: 3',                  to: 'levle: 3',                want: 'the kind `resident-id` has no key `levle`' },
  { name: 'a level out of range',      from: 'level: 3',                  to: 'level: 9',                want: 'a JR/T 0197 level must be a whole number, not the number `9`' },
  { name: 'C3 that may pass',          from: 'guard: refuse\n    fields: [ \'*password\'', to: 'guard: report\n    fields: [ \'*password\'', want: '`password` is C3 and must be refused' },
  { name: 'an unknown validator',      from: 'validator: resident-id',    to: 'validator: residentid',   want: '`residentid` is not a validator' },
  { name: 'an unknown detector',       from: 'detector: mobile',          to: 'detector: mobil',         want: '`mobil` is not a detector' },
  { name: 'the absence of a shaped kind', from: '  resident-id:',         to: '  resident-ident:',       want: 'the kind `resident-id` is missing' },
  { name: 'a deny list with a stranger', from: 'never: [ religion,',      to: 'never: [ faith,',         want: 'there is no kind `faith`' },
]

describe('parseKinds', () => {
  for (const { name, from, to, want } of MISTAKES) {
    it(`refuses ${name} and says where`, () => {
      const report = createReport()
      expect(SOURCE).to.include(from)
      const at = SOURCE.indexOf(from)
      expect(parseKinds(report, 'kinds.yaml', SOURCE.replace(from, to))).to.equal(undefined)
      const found = report.diagnostics.find(({ message }) => message === want)
      expect(found, JSON.stringify(report.diagnostics.map(({ message }) => message))).to.not.equal(
        undefined,
      )
      expect(found?.at.line).to.be.within(
        SOURCE.slice(0, at).split('\n').length - 14,
        SOURCE.slice(0, at).split('\n').length + 1,
      )
    })
  }
})

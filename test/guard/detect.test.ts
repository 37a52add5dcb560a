import { expect } from 'chai'
import fc from 'fast-check'
import { createDetect } from '../../gateway/guard/detect.ts'
import { REFUSE_SCORE } from '../../gateway/guard/limits.ts'
import { createCorpus } from '../fixtures/people/corpus.ts'
import { loadDictionary } from './dictionary.ts'

const kinds = loadDictionary()
const detect = createDetect(kinds)
const sure = (text: string, field?: string) =>
  detect(text, field)
    .filter((hit) => hit.score >= REFUSE_SCORE)
    .map((hit) => `${hit.kind} ${text.slice(hit.start, hit.end)}`)

// prettier-ignore
const FOUND: { text: string; field?: string; want: string[] }[] = [
  { text: '13800138000',                           want: ['mobile 13800138000'] },
  { text: '138 0013 8000',                         want: ['mobile 138 0013 8000'] },
  { text: '请拨打+86-138-0013-8000',               want: ['mobile +86-138-0013-8000'] },
  { text: '１３８００１３８０００',                want: ['mobile １３８００１３８０００'] },
  { text: '138\u200b00138000',                     want: ['mobile 138\u200b00138000'] },
  { text: '他的手机13800138000和13900139000',      want: ['mobile 13800138000', 'mobile 13900139000'] },
  { text: 'tel13800138000',                        want: ['mobile 13800138000'] },
  { text: '+852 61234567',                         want: ['mobile 852 61234567'] },
  { text: '+886 912345678',                        want: ['mobile 886 912345678'] },
  { text: '010-62781234',                          want: ['landline 010-62781234'] },
  { text: '请致电(010)62781234',                   want: ['landline 010)62781234'] },
  { text: '11010519491231002X',                    want: ['resident-id 11010519491231002X'] },
  { text: '110105 19491231 002X',                  want: ['resident-id 110105 19491231 002X'] },
  { text: '510100199001011234', field: 'idNo',     want: ['resident-id 510100199001011234'] },
  { text: '110105491231002', field: 'idNo',        want: ['resident-id 110105491231002'] },
  { text: '911840198810140002',                    want: ['resident-id 911840198810140002'] },
  { text: '6217 0000 1234 5678 907',               want: ['bank-card 6217 0000 1234 5678 907'] },
  { text: '6217000012345678907=2512101',           want: ['card-track 6217000012345678907=2512101'] },
  { text: 'A123456(3)',                            want: ['hkid A123456(3)'] },
  { text: 'A123456(3',                             want: ['hkid A123456(3'] },
  { text: '\u200b证A123456(3',                    want: ['hkid A123456(3'] },
  { text: '护照E12345678',                         want: ['passport E12345678'] },
  { text: '粤B·12345',                             want: ['plate 粤B·12345'] },
  { text: '京AD12345在场',                         want: ['plate 京AD12345'] },
  { text: '00:1A:2B:3C:4D:5E',                     want: ['mac-address 00:1A:2B:3C:4D:5E'] },
  { text: 'http://203.0.113.7/',                   want: ['ip-address 203.0.113.7'] },
  { text: '2001:db8::1',                           want: ['ip-address 2001:db8::1'] },
  { text: '39.9042,116.4074',                      want: ['location 39.9042,116.4074'] },
  { text: '邮箱zhang@126.com的',                   want: ['email zhang@126.com'] },
  { text: '用户@例子.中国',                        want: ['email 用户@例子.中国'] },
  { text: '欧阳锋', field: 'name',                 want: ['name 欧阳锋'] },
  { text: '刘张梓涵', field: 'name',               want: ['name 刘张梓涵'] },
  { text: '𠮷野', field: 'realName',               want: [] },
  { text: '阿卜杜拉·买买提', field: 'name',        want: ['name 阿卜杜拉·买买提'] },
  { text: '住址：北京市海淀区中关村大街27号3栋501室，电', want: ['address 北京市海淀区中关村大街27号3栋501室'] },
  { text: '张三，身份证号11010519491231002X',      want: ['name 张三', 'resident-id 11010519491231002X'] },
  { text: '6217000012345678907', field: 'orderNo', want: ['bank-card 6217000012345678907'] },
  { text: '123', field: 'cvv',                     want: ['cvv 123'] },
  { text: '您的验证码是482913',                    want: ['sms-code 482913'] },
  { text: '2088123456789012', field: 'alipayId',   want: ['alipay-id 2088123456789012'] },
]
// prettier-ignore
const NOT_FOUND: { name: string; text: string; field?: string }[] = [
  { name: 'twelve digits',                      text: '138001380000' },
  { name: 'an unassigned segment',              text: '15400138000' },
  { name: 'eleven digits inside a digest',      text: 'a13800138000bcdef0123456789abcdef' },
  { name: 'an order number that passes Luhn',   text: '2026110012345678907', field: 'orderNo' },
  { name: 'a card number that fails Luhn',      text: '6217000012345678908' },
  { name: 'an amount',                          text: '13800138000.00' },
  { name: 'a fraction',                         text: '0.13800138000' },
  { name: 'a company\'s code',                  text: '91350100M000100Y43' },
  { name: 'a legacy id without context',        text: '110105491231002' },
  { name: 'a passport without context',         text: 'E12345678' },
  { name: 'a hotline',                          text: '400-820-8820', field: 'tel' },
  { name: 'a bank\'s hotline',                  text: '致电95588' },
  { name: 'a case number',                      text: '北京市朝阳区人民法院（2024）京0105民初12345号' },
  { name: 'a statute',                          text: '《个人信息保护法》第28条第1款' },
  { name: 'a district',                         text: '北京市海淀区', field: 'address' },
  { name: 'a masked address',                   text: '北京市海淀区****', field: 'address' },
  { name: 'a masked name',                      text: '张**', field: 'realName' },
  { name: 'a company in a name field',          text: '平安普惠融资担保有限公司', field: 'name' },
  { name: 'a product in a name field',          text: '金条借款', field: 'name' },
  { name: 'a duty of the borrower',             text: '借款人应当按时还款' },
  { name: 'a coarse position',                  text: '39.90,116.40' },
  { name: 'loopback',                           text: '127.0.0.1' },
  { name: 'a browser\'s version',               text: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0' },
  { name: 'a time',                             text: '12:30:45' },
  { name: 'eight digits after a plus',          text: '+50000000', field: 'note' },
  { name: 'a token of a mobile number',         text: '85261234567', field: 'mobile' },
  { name: 'a token of a card',                  text: '0123456789012345', field: 'accountNo' },
  { name: 'base64 as good as a vehicle',        text: 'Kz+J/3Jt0RkRc0pcJF7937+FAtl' },
  { name: 'a word about passwords',             text: '密码重置成功' },
  { name: 'a date of consent',                  text: '2027-01-01', field: 'expiry' },
]

describe('detect', () => {
  for (const { text, field, want } of FOUND) {
    it(`finds [${want}] in ${field ?? 'text'}: ${text}`, () =>
      expect(sure(text, field)).to.deep.equal(want))
  }
  for (const { name, text, field } of NOT_FOUND) {
    it(`finds nothing in ${name}`, () => expect(sure(text, field)).to.deep.equal([]))
  }

  it('explains each hit without its value', () => {
    for (const { text, field } of createCorpus(7, 2)) {
      for (const hit of detect(text, field)) {
        expect(hit.why).to.not.equal('')
        expect(hit.why).to.not.include(text.slice(hit.start, hit.end))
      }
    }
  })

  it('reports sorted hits inside the text that never overlap', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '13800138000',
        '6217000012345678907',
        '北京市海淀区中关村大街27号',
        '张三',
        '@',
        '·',
        ' ',
      ),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(
        fc.array(piece),
        fc.option(fc.constantFrom('name', 'mobile', 'remark')),
        (pieces, field) => {
          const text = pieces.join('')
          let end = 0
          for (const hit of detect(text, field ?? undefined)) {
            expect(hit.start).to.be.at.least(end)
            expect(hit.end).to.be.greaterThan(hit.start)
            end = hit.end
          }
          expect(end).to.be.at.most(text.length)
        },
      ),
    )
  })

  it('never finds a token of ours', () => {
    const field = fc.constantFrom(
      ...kinds.all.filter((kind) => kind.class !== 'C3').flatMap((kind) => kind.fields),
    )
    const letters = fc.string({
      unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'),
      minLength: 12,
      maxLength: 60,
    })
    const head = fc.constantFrom('tok_mobile_1_', 'psn_resident-id_12_', 'vlt_bank-card_3_', 'lnk_')
    fc.assert(
      fc.property(field, head, letters, (name, head, body) => {
        expect(sure(head + body, name.replace('*', ''))).to.deep.equal([])
      }),
    )
  })

  // A quadratic matcher needs minutes for these and runs into mocha's timeout.
  for (const unit of [
    '1',
    '1 ',
    '138-',
    'a@',
    '@',
    '路1号',
    '北京市',
    '姓名张',
    '·张',
    '::',
    'A1',
    '1.1.',
    '%41',
    '0 0000-',
  ]) {
    it(`is linear in repetitions of ${unit}`, () => {
      detect(unit.repeat(100_000), 'remark')
    })
  }
})

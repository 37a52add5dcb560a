import { expect } from 'chai'
import fc from 'fast-check'
import type { Action } from '../../gateway/policy/policy.ts'
import { loadDictionary } from '../guard/dictionary.ts'
import { bind, number, text, textOf, tryBind } from './bind.ts'

describe('mask', () => {
  // prettier-ignore
  const CASES: { mask: Action['with'][string]; value: string; want: string }[] = [
    { mask: 'surname',     value: '张三',                   want: '张*' },
    { mask: 'surname',     value: '张三丰',                 want: '张**' },
    { mask: 'surname',     value: '欧阳修',                 want: '欧阳*' },
    { mask: 'surname',     value: '欧阳',                   want: '欧*' },
    { mask: 'surname',     value: '张',                     want: '*' },
    { mask: 'surname',     value: '𠮷野家',                 want: '𠮷**' },
    { mask: 'surname',     value: '阿凡提·买买提',          want: '******提' },
    { mask: 'surname',     value: '阿凡提•买买提',          want: '******提' },
    { mask: 'surname',     value: 'John Smith',             want: 'J*********' },
    { mask: 'mobile',      value: '13800138000',            want: '138****8000' },
    { mask: 'mobile',      value: '61234512',               want: '61****12' },
    { mask: 'mobile',      value: '1380',                   want: '****' },
    { mask: 'landline',    value: '010-12345678',           want: '010-****5678' },
    { mask: 'landline',    value: '12345678',               want: '********' },
    { mask: 'resident-id', value: '11010519491231002X',     want: '1****************X' },
    { mask: 'bank-card',   value: '6217000012345678907',    want: '***************8907' },
    { mask: 'passport',    value: 'E12345678',              want: 'E*****678' },
    { mask: 'plate',       value: '京A12345',               want: '京A****5' },
    { mask: 'account',     value: '20210001234',            want: '*******1234' },
    { mask: 'email',       value: 'dan@126.com',            want: 'd**@126.com' },
    { mask: 'email',       value: 'a@b@c.cn',               want: '**' },
    { mask: 'email',       value: '@126.com',               want: '**' },
    { mask: 'address',     value: '北京市海淀区中关村1号',  want: '北京市海淀区****' },
    { mask: 'address',     value: '广东省深圳市南山区科技园', want: '广东省深圳市南山区****' },
    { mask: 'address',     value: '北京市阳光小区5号楼',    want: '北京市****' },
    { mask: 'address',     value: 'Flat 5, 1 High Street',  want: '****' },
    { mask: 'all',         value: '13800138000',            want: '****' },
    { mask: 'all',         value: '',                       want: '****' },
    { mask: { first: 3, last: 4 },              value: '13800138000', want: '138****8000' },
    { mask: { first: 3, last: 4 },              value: '1380013',     want: '*******' },
    { mask: { first: 1 },                       value: '𠮷𠮷𠮷',      want: '𠮷**' },
    { mask: { last: 2, with: '#', length: 3 },  value: '123456789',   want: '###89' },
    { mask: { between: [4, 7] },                value: '13800138000', want: '138****8000' },
    { mask: { between: [4, 7] },                value: '12345',       want: '123**' },
    { mask: { between: [4, 7] },                value: '123',         want: '***' },
    { mask: { preset: 'surname', length: 2 },   value: '张三',        want: '张**' },
  ]
  for (const { mask, value, want } of CASES) {
    it(`${JSON.stringify(mask)} of ${value} is ${want}`, () => {
      expect(textOf(bind('mask', { mask: mask ?? null })(text(value)))).to.equal(want)
    })
  }

  it('follows the kind of the rule when it has no parameters', () => {
    const masked = (kind: string) =>
      textOf(bind('mask', {}, { binding: { kind } })(text('13800138000')))
    expect(masked('mobile')).to.equal('138****8000')
    expect(masked('name')).to.equal('1**********')
    expect(masked('any')).to.equal('****')
    expect(masked('constructor')).to.equal('****')
  })

  it('takes the mask of the kinds dictionary', () => {
    const kinds = loadDictionary()
    const ports = { defaultMask: (kind: string) => kinds.get(kind)?.mask }
    for (const kind of kinds.all) {
      const apply = bind('mask', { mask: 'default' }, { ports, binding: { kind: kind.id } })
      const secret = 'Qz7#Wx9%Rt2&Yp4'
      expect(textOf(apply(text(secret))), kind.id).to.not.include(secret.slice(3, -3))
    }
    const masked = (kind: string, value: string) =>
      textOf(bind('mask', {}, { ports, binding: { kind } })(text(value)))
    expect(masked('mobile', '13800138000')).to.equal('138****8000')
    expect(masked('name', '欧阳修')).to.equal('欧阳*')
    expect(masked('resident-id', '11010519491231002X')).to.equal('1****************X')
  })

  it('makes a text of a number', () => {
    expect(textOf(bind('mask', { mask: 'mobile' })(number('13800138000')))).to.equal('138****8000')
  })

  it('never shows more than it says, for any text', () => {
    const ends = fc.integer({ min: 0, max: 6 })
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), ends, ends, (value, first, last) => {
        const shown = [
          ...textOf(bind('mask', { mask: { first, last, with: '\u0000' } })(text(value))),
        ]
        const kept = shown.filter((character) => character !== '\u0000').length
        expect(kept).to.be.at.most(first + last)
        if (value !== '') expect(kept).to.be.lessThan([...value].length)
      }),
    )
  })

  // prettier-ignore
  const MISTAKES: { with: Action['with']; want: string }[] = [
    { with: { mask: 'surnam' },                        want: '`preset` of `mask` is not usable: did you mean `surname`?' },
    { with: { mask: 'all', lenght: 4 },                want: '`mask` has no parameter `lenght`: did you mean `length`?' },
    { with: { mask: 'nose' },                          want: '`preset` of `mask` is not usable: expected one of `default`, `all`' },
    { with: { mask: { first: -1 } },                   want: '`first` of `mask` is not usable' },
    { with: { mask: { first: '3' } },                  want: '`first` of `mask` is not usable' },
    { with: { mask: { between: [7, 4] } },             want: '`between` of `mask` is not a range' },
    { with: { mask: { between: 4 } },                  want: '`between` of `mask` is not usable' },
    { with: { mask: { preset: 'mobile', first: 3 } },  want: '`mask` is given in two ways' },
    { with: { mask: 'mobile', with: '**' },            want: '`with` of `mask` is too long' },
    { with: { mask: 'mobile', keep: 3 },               want: '`mask` has no parameter `keep`' },
  ]
  for (const { with: parameters, want } of MISTAKES) {
    it(`complains of ${JSON.stringify(parameters)}`, () => {
      const { complaints } = tryBind('mask', parameters)
      expect(complaints).to.have.length(1)
      expect(complaints[0]).to.satisfy((complaint: string) => complaint.startsWith(want))
    })
  }
})

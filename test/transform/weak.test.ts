/** legacy-hash, redact and translate. */
import { expect } from 'chai'
import { throwawayKeyRing } from '../../gateway/token/ring.ts'
import { createDetect } from '../../gateway/guard/detect.ts'
import { loadDictionary } from '../guard/dictionary.ts'
import { bind, clockAt, NULL, number, text, textOf, tryBind } from './bind.ts'

const MOBILE = '13800138000'

describe('legacy-hash', () => {
  const ports = { clock: clockAt('2026-11-24T00:00:00Z') }
  const exception = { signOff: 'Li Jing, compliance, 2026-11-01', expires: '2027-03-31' }
  // prettier-ignore
  const CASES: [algorithm: string, value: string, want: string][] = [
    ['md5',     MOBILE,                '7945bd83237335e5376ff44d62e4f0ae'],
    ['md5',     '+86 138-0013-8000',   '7945bd83237335e5376ff44d62e4f0ae'],
    ['sha-1',   'abc',                 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['sha-256', 'abc',                 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['sm3',     'abc',                 '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0'],
  ]
  for (const [algorithm, value, want] of CASES) {
    it(`${algorithm} of ${value}`, () => {
      const apply = bind(
        'legacy-hash',
        { 'legacy-hash': algorithm, ...exception },
        { ports, binding: { kind: 'mobile' } },
      )
      expect(textOf(apply(text(value)))).to.equal(want)
    })
  }

  it('works through its last day in China, and refuses from the next on', () => {
    const change = (now: string) =>
      bind(
        'legacy-hash',
        { 'legacy-hash': 'md5', ...exception },
        { ports: { clock: clockAt(now) } },
      )(text(MOBILE))
    expect(change('2027-03-31T15:59:59Z')).to.have.property('change', 'text')
    const why = 'its legacy hash expired on 2027-03-31'
    expect(change('2027-03-31T16:00:00Z')).to.deep.equal({ change: 'refuse', why })
  })

  // prettier-ignore
  const MISTAKES: [parameters: object, count: number][] = [
    [{ 'legacy-hash': 'md5' }, 3], [{ 'legacy-hash': 'md5', signOff: 'Li Jing' }, 2], [{ 'legacy-hash': 'md5', expires: '2027-03-31' }, 1],
    [{ 'legacy-hash': 'crc32', ...exception }, 1], [{ 'legacy-hash': 'md5', ...exception, expires: '2027-13-01' }, 1],
    [{ 'legacy-hash': 'md5', ...exception, expires: '20270331' }, 1], [{ 'legacy-hash': 'md5', ...exception, expires: '2029-01-01' }, 1],
  ]
  for (const [parameters, count] of MISTAKES) {
    it(`complains of ${JSON.stringify(parameters)}`, () => {
      expect(tryBind('legacy-hash', { ...parameters }, { ports }).complaints).to.have.length(count)
    })
  }
})

describe('redact', () => {
  const redact = bind(
    'redact',
    { redact: 'text' },
    { ports: { detect: createDetect(loadDictionary()) } },
  )

  it('replaces what the detectors find in free text', () => {
    const change = redact(text(`客户电话${MOBILE}，身份证11010519491231002X，请回电`))
    expect(textOf(change)).to.equal('客户电话[mobile]，身份证[resident-id]，请回电')
  })

  it('keeps a text in which they find nothing', () => {
    expect(redact(text('资料齐全'))).to.deep.equal({ change: 'keep' })
    expect(redact(NULL)).to.deep.equal({ change: 'keep' })
    expect(textOf(redact(number(MOBILE)))).to.equal('[mobile]')
  })

  it('merges findings that overlap, in any order', () => {
    const hit = (start: number, end: number, kind: string) => ({ start, end, kind })
    const cases: [hits: ReturnType<typeof hit>[], want: string][] = [
      [[hit(2, 5, 'a')], '01[a]56789'],
      [[hit(4, 8, 'b'), hit(2, 5, 'a')], '01[a]89'],
      [[hit(2, 3, 'b'), hit(2, 9, 'a')], '01[a]9'],
      [[hit(0, 2, 'a'), hit(2, 10, 'b')], '[a][b]'],
    ]
    for (const [hits, want] of cases) {
      const apply = bind('redact', {}, { ports: { detect: () => hits } })
      expect(textOf(apply(text('0123456789')))).to.equal(want)
    }
  })

  it('complains when there are no detectors', () => {
    expect(tryBind('redact', { redact: 'text' }).complaints).to.have.length(1)
  })
})

describe('translate', () => {
  const ports = { keys: throwawayKeyRing() }
  const [owner, middle, recipient] = ['sunrise', 'guarantor', 'harbour']
  const made = (to: string, transform = 'tokenize', purpose = 'credit') =>
    textOf(
      bind(
        transform,
        {},
        { ports, binding: { from: owner, to, purpose, kind: 'mobile' } },
      )(text(MOBILE)),
    )
  const binding = { from: middle, to: recipient, purpose: 'credit', kind: 'mobile' }
  const translate = (parameters: object) =>
    bind('translate', { owner, ...parameters }, { ports, binding })

  it('gives the recipient the token that it knows from the owner', () => {
    const token = made(middle)
    expect(token).to.not.equal(made(recipient))
    expect(textOf(translate({ translate: 'token' })(text(token)))).to.equal(made(recipient))
  })

  it('gives the recipient the pseudonym that it knows from the owner', () => {
    const change = translate({ translate: 'pseudonym' })(text(made(middle)))
    expect(textOf(change)).to.equal(made(recipient, 'pseudonymise'))
  })

  it('takes a token of another purpose when the policy says so', () => {
    const token = made(middle, 'tokenize', 'guarantee')
    expect(translate({ translate: 'token' })(text(token))).to.have.property('change', 'refuse')
    const change = translate({ translate: 'token', purpose: 'guarantee' })(text(token))
    expect(textOf(change)).to.equal(made(recipient))
  })

  it('refuses clear values, pseudonyms and tokens made for somebody else', () => {
    for (const value of [MOBILE, made(middle, 'pseudonymise'), made(recipient)]) {
      expect(translate({ translate: 'token' })(text(value))).to.have.property('change', 'refuse')
    }
    expect(translate({ translate: 'token' })(NULL)).to.deep.equal({ change: 'keep' })
  })

  it('complains of a way back to the owner, and of no owner', () => {
    const back = tryBind('translate', { translate: 'token', owner: recipient }, { ports, binding })
    expect(back.complaints).to.deep.equal(['`translate` leads back to the owner: type `reveal`'])
    expect(tryBind('translate', { translate: 'token' }).complaints).to.have.length(1)
  })
})

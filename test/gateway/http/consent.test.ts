import { expect } from 'chai'
import { Problem } from '../../../base/problem.ts'
import { checkConsent } from '../../../gateway/http/consent.ts'
import { fields, policyOf } from '../policy/fixture.ts'

const NOW_MS = Date.parse('2026-11-24T00:00:00Z')
const POLICY = policyOf({
  legal: '{ basis: written-consent, consent: { at: $.consent } }',
  request: fields('$.a: { kind: income, mask: all }'),
})
const GIVEN = {
  recipient: POLICY.to,
  purpose: POLICY.purpose,
  kinds: ['income'],
  grantedAt: '2026-01-01T00:00:00Z',
  expiresAt: '2027-01-01T00:00:00Z',
  written: true,
  consequencesNotified: true,
}

describe('checkConsent, where the law wants it written (征信业管理条例 Art. 14)', () => {
  const check = (changes: object) => () => {
    const json = JSON.stringify({ ...GIVEN, ...changes })
    checkConsent(POLICY, { type: 'object', reveal: () => json }, NOW_MS)
  }
  it('accepts it written, after notice', () => expect(check({})).to.not.throw())
  // prettier-ignore
  const REFUSED = [
    { name: 'one that is not written',      changes: { written: false },              want: '`written`' },
    { name: 'one that does not say',        changes: { written: undefined },          want: '`written`' },
    { name: 'a word for yes',               changes: { written: 'true' },             want: '`written`' },
    { name: 'one without notice',           changes: { consequencesNotified: false }, want: '`consequencesNotified`' },
    { name: 'one that lacks the kind',      changes: { kinds: [] },                   want: 'lack income' },
  ]
  for (const { name, changes, want } of REFUSED) {
    it(`refuses ${name}`, () => {
      expect(check(changes)).to.throw(Problem, want).with.property('slug', 'consent-missing')
    })
  }
})

import { expect } from 'chai'
import { createReport } from '../../../base/diagnostic.ts'
import type { EnvelopeConfig } from '../../../gateway/envelope/config.ts'
import { diffPolicies } from '../../../gateway/policy/diff.ts'
import { explainFrame } from '../../../gateway/policy/explain.ts'
import { lintEnvelopes } from '../../../gateway/policy/lint-envelopes.ts'
import { policyOf } from './fixture.ts'

const base = { at: { file: 's.yaml', line: 1, column: 1 }, mediaType: 'text/plain', content: 'application/json' } // prettier-ignore
const ENVELOPES: readonly EnvelopeConfig[] = [
  { ...base, id: 'strong', weak: [] },
  { ...base, id: 'head', weak: [], headers: { id: 'A', key: 'k' } },
  { ...base, id: 'weak', weak: ['zero-iv', 'unauthenticated'], signOff: { by: '李', until: '2027-01-31' } }, // prettier-ignore
]

const withEnvelopes = (request: string, response = '') =>
  policyOf({
    request: `{ ${request} fields: { $.a: keep } }`,
    ...(response === '' ? {} : { response: `{ ${response} fields: { $.b: keep } }` }),
  })

// prettier-ignore
const TABLE = [
  { name: 'accepts what is strong',            request: 'envelope: { open: strong, seal: head },', response: 'envelope: { open: strong },', want: [] },
  { name: 'refuses a name that is not there',  request: 'envelope: { open: strnog },',             response: '',                            want: ['error P013: there is no envelope `strnog` in sealgate.yaml'] },
  { name: 'refuses to sign the head of an answer', request: '',                                    response: 'envelope: { open: head },',   want: ['error P013: `head` signs the head of a request'] },
  { name: 'warns of each weakness, by number', request: 'envelope: { open: weak, seal: weak },',   response: '',                            want: ['warning E101: the envelope `weak` is weak: equal bodies give equal texts: the initialisation vector is zero', 'warning E106: the envelope `weak` is weak: nothing authenticates the encrypted body, so it can be changed and probed'] },
]

describe('the envelopes of a policy', () => {
  for (const { name, request, response, want } of TABLE) {
    it(name, () => {
      const report = createReport()
      lintEnvelopes(withEnvelopes(request, response), ENVELOPES, report)
      const told = report.diagnostics.map(
        ({ severity, code, message }) =>
          `${severity}${code === undefined ? '' : ` ${code}`}: ${message}`,
      )
      expect(told).to.deep.equal(want)
    })
  }

  it('stand in its headline', () => {
    const frame = explainFrame(withEnvelopes('envelope: { open: strong },'))
    expect(frame).to.include('request comes in strong, goes out in no envelope')
  })

  it('widen a policy when the body goes out in another one, or in none', () => {
    const [none, one, other] = ['', 'envelope: { seal: strong },', 'envelope: { seal: weak },'].map(
      (text) => withEnvelopes(text),
    )
    const effect = (a: typeof none, b: typeof none) => diffPolicies(a, b).map((each) => each.effect)
    expect(effect(one, none)).to.deep.equal(['widening'])
    expect(effect(one, other)).to.deep.equal(['widening'])
    expect(effect(none, one)).to.deep.equal(['narrowing'])
  })
})

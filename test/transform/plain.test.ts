import { expect } from 'chai'
import type { Action } from '../../gateway/policy/policy.ts'
import type { Change, Scalar } from '../../gateway/transform/transform.ts'
import { bind, NULL, number, text, tryBind } from './bind.ts'

const KEEP = { change: 'keep' } as const

describe('plain transforms', () => {
  // prettier-ignore
  const CASES: { name: string; transform: string; with?: Action['with']; value: Scalar; want: Change }[] = [
    { name: 'keep',                 transform: 'keep',                                            value: text('a'),   want: KEEP },
    { name: 'keep with a reason',   transform: 'keep',     with: { keep: 'the bank bills by it' }, value: text('a'),  want: KEEP },
    { name: 'drop',                 transform: 'drop',                                            value: text('a'),   want: { change: 'drop' } },
    { name: 'drop null',            transform: 'drop',                                            value: NULL,        want: { change: 'drop' } },
    { name: 'monitor',              transform: 'monitor',                                         value: number('1'), want: KEEP },
    { name: 'refuse',               transform: 'refuse',                                          value: text('a'),   want: { change: 'refuse', why: 'the policy refuses this field' } },
    { name: 'refuse with a reason', transform: 'refuse',   with: { refuse: 'no CVV, ever' },      value: text('a'),   want: { change: 'refuse', why: 'no CVV, ever' } },
    { name: 'constant text',        transform: 'constant', with: { constant: 'x"y' },             value: text('a'),   want: { change: 'json', json: '"x\\"y"' } },
    { name: 'constant number',      transform: 'constant', with: { constant: 7 },                 value: text('a'),   want: { change: 'json', json: '7' } },
    { name: 'constant over null',   transform: 'constant', with: { constant: false },             value: NULL,        want: { change: 'json', json: 'false' } },
    { name: 'pseudonymise null',    transform: 'pseudonymise',                                    value: NULL,        want: KEEP },
    { name: 'tokenize null',        transform: 'tokenize',                                        value: NULL,        want: KEEP },
    { name: 'reveal null',          transform: 'reveal',                                          value: NULL,        want: KEEP },
    { name: 'mask null',            transform: 'mask',                                            value: NULL,        want: KEEP },
  ]
  for (const { name, transform, with: parameters, value, want } of CASES) {
    it(name, () => expect(bind(transform, parameters)(value)).to.deep.equal(want))
  }

  // prettier-ignore
  const MISTAKES: { transform: string; with: Action['with']; want: string[] }[] = [
    { transform: 'keep',         with: { first: 3 },                    want: ['`keep` has no parameter `first`: it knows `reason`'] },
    { transform: 'constant',     with: {},                              want: ['`constant` needs a text, number or boolean: type `constant: "unknown"`'] },
    { transform: 'constant',     with: { constant: 1, to: 2 },          want: ['`constant` has no parameter `to`: remove `to`'] },
    { transform: 'pseudonymise', with: { pseudonymise: 'md5' },         want: ['`algorithm` of `pseudonymise` is not usable: expected one of `hmac-sha-256`, `hmac-sm3`'] },
    { transform: 'tokenize',     with: { tokenize: 'fancy', salt: 1 },  want: ['`tokenize` has no parameter `salt`', '`form` of `tokenize` is not usable'] },
    { transform: 'reveal',       with: { reveal: 7, otherwise: 'keep' }, want: ['`kind` of `reveal` is not usable: expected a text', '`otherwise` of `reveal` is not usable: expected one of `refuse`, `drop`'] },
  ]
  for (const { transform, with: parameters, want } of MISTAKES) {
    it(`complains of ${transform} with ${JSON.stringify(parameters)}`, () => {
      const { complaints } = tryBind(transform, parameters)
      expect(complaints.length).to.equal(want.length)
      for (const [index, start] of want.entries())
        expect(complaints[index]).to.satisfy((c: string) => c.startsWith(start))
    })
  }
})

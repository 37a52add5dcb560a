/** What every transform owes: no clear value in what it makes, and no link between domains. */
import { expect } from 'chai'
import fc from 'fast-check'
import type { Action } from '../../gateway/policy/policy.ts'
import { throwawayKeyRing } from '../../gateway/token/ring.ts'
import { openVaultStore } from '../../gateway/token/vault-file.ts'
import { isFormatToken } from '../../gateway/token/format.ts'
import { isToken } from '../../gateway/token/text.ts'
import { bind, clockAt, settle, text, textOf } from './bind.ts'

const ports = {
  keys: throwawayKeyRing(),
  clock: clockAt('2026-11-24T00:00:00Z'),
  vault: openVaultStore(':memory:'),
}
// prettier-ignore
const REPLACING: { transform: string; with: Action['with']; linkable: boolean }[] = [
  { transform: 'pseudonymise', with: {},                                 linkable: true },
  { transform: 'pseudonymise', with: { pseudonymise: 'hmac-sm3' },       linkable: true },
  { transform: 'tokenize',     with: {},                                 linkable: true },
  { transform: 'tokenize',     with: { tokenize: 'format-preserving' },  linkable: true },
  { transform: 'tokenize',     with: { tokenize: 'vaulted' },            linkable: false },
  { transform: 'encrypt',      with: { encrypt: 'deterministic' },       linkable: true },
]
const mobile = fc
  .tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 0, max: 999_999_999 }))
  .map(([first, rest]) => `1${first}${String(rest).padStart(9, '0')}`)

describe('transforms that replace', () => {
  after(() => ports.vault.close())

  for (const { transform, with: parameters, linkable } of REPLACING) {
    const made = async (value: string, binding = {}) => {
      const route = { kind: 'mobile', ...binding }
      return textOf(
        await settle(bind(transform, parameters, { ports, binding: route })(text(value))),
      )
    }
    const name = `${transform} ${JSON.stringify(parameters)}`

    it(`${name} shows nothing of the value and is recognised`, async () => {
      await fc.assert(
        fc.asyncProperty(mobile, async (value) => {
          const token = await made(value)
          expect(token).to.not.include(value.slice(1))
          expect(token).to.not.include(value.slice(0, 7))
          expect(isToken(token) || isFormatToken('mobile', token)).to.equal(true)
        }),
        { numRuns: 50 },
      )
    })

    it(`${name} is ${linkable ? 'equal in one domain alone' : 'never equal'}`, async () => {
      const others = [
        { to: 'island-bank' },
        { from: 'sunset' },
        { purpose: 'x' },
        { direction: 'response' },
      ]
      await fc.assert(
        fc.asyncProperty(mobile, async (value) => {
          const token = await made(value)
          expect((await made(value)) === token).to.equal(linkable)
          for (const other of others) expect(await made(value, other)).to.not.equal(token)
        }),
        { numRuns: 20 },
      )
    })
  }

  // prettier-ignore
  const REFUSING: [transform: string, parameters: Action['with']][] = [
    ['refuse', {}], ['reveal', {}], ['generalise', { generalise: 'sex' }], ['date-shift', { 'date-shift': 3 }],
    ['tokenize', { tokenize: 'format-preserving' }], ['translate', { translate: 'token', owner: 'x' }],
    ['legacy-hash', { 'legacy-hash': 'md5', signOff: 'x', expires: '2026-01-01' }],
  ]
  for (const [transform, parameters] of REFUSING) {
    it(`${transform} refuses without quoting the value`, async () => {
      const apply = bind(transform, parameters, { ports, binding: { kind: 'mobile' } })
      const change = await settle(apply(text('Zhang-San-13800138000')))
      if (change.change !== 'refuse') throw new Error(`expected a refusal, got ${change.change}`)
      expect(change.why).to.not.match(/Zhang|138/)
    })
  }
})

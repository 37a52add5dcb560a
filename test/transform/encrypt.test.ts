import { expect } from 'chai'
import { compactDecrypt, exportJWK, generateKeyPair, type JWK } from 'jose'
import { Problem } from '../../base/problem.ts'
import { throwawayKeyRing } from '../../gateway/token/ring.ts'
import { bind, NULL, settle, text, textOf, tryBind } from './bind.ts'

const MOBILE = '13800138000'

describe('encrypt', () => {
  for (const alg of ['ECDH-ES', 'ECDH-ES+A256KW', 'RSA-OAEP-256']) {
    it(`seals a value to the recipient with ${alg}`, async () => {
      const { publicKey, privateKey } = await generateKeyPair(alg)
      const jwk: JWK = { ...(await exportJWK(publicKey)), alg, kid: 'k1' }
      const asked: string[] = []
      const recipientKey = (party: string) => {
        asked.push(party)
        return jwk
      }
      const seal = bind('encrypt', { encrypt: 'recipient' }, { ports: { recipientKey } })
      const [one, two] = [await settle(seal(text(MOBILE))), await settle(seal(text(MOBILE)))]
      const { plaintext, protectedHeader } = await compactDecrypt(textOf(one), privateKey)
      expect(new TextDecoder().decode(plaintext)).to.equal(MOBILE)
      expect(protectedHeader).to.include({ alg, enc: 'A256GCM', kid: 'k1' })
      expect(textOf(one)).to.not.equal(textOf(two))
      expect(asked).to.deep.equal(['harbour-bank'])
      expect(seal(NULL)).to.deep.equal({ change: 'keep' })
    })
  }

  it('refuses a key that does not say a strong algorithm', async () => {
    const { publicKey } = await generateKeyPair('ECDH-ES')
    for (const alg of [undefined, 'RSA1_5', 'dir', 'none']) {
      const { alg: _, ...bare } = await exportJWK(publicKey)
      const recipientKey = () => (alg === undefined ? bare : { ...bare, alg })
      const seal = bind('encrypt', { encrypt: 'recipient' }, { ports: { recipientKey } })
      const error = await settle(seal(text(MOBILE))).catch((caught: unknown) => caught)
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'key-unusable')
      expect(String(error)).to.not.include(MOBILE)
    }
  })

  it('encrypts deterministically in one domain, and reveals to the owner', () => {
    const ports = { keys: throwawayKeyRing() }
    const seal = (binding = {}) =>
      textOf(bind('encrypt', { encrypt: 'deterministic' }, { ports, binding })(text(MOBILE)))
    expect(seal())
      .to.equal(seal())
      .and.to.match(/^enc_any_1_[a-z]{48}$/)
    expect(seal({ to: 'island-bank' })).to.not.equal(seal())
    const tokenized = textOf(bind('tokenize', {}, { ports })(text(MOBILE)))
    expect(tokenized.slice(4)).to.not.equal(seal().slice(4))
    const reveal = bind('reveal', {}, { ports, binding: { direction: 'response' } })
    expect(textOf(reveal(text(seal())))).to.equal(MOBILE)
    expect(reveal(text(seal().replace('enc', 'tok')))).to.have.property('change', 'refuse')
  })

  it('complains when there are no keys, or no reader', () => {
    expect(tryBind('encrypt', { encrypt: 'recipient' }).complaints).to.have.length(1)
    expect(tryBind('encrypt', {}).complaints).to.have.length(2)
  })
})

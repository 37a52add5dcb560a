import { expect } from 'chai'
import fc from 'fast-check'
import {
  type Sm2Form,
  sm2Decrypt,
  sm2Encrypt,
  sm2EncryptWith,
} from '../../evidence/gm/sm2-cipher.ts'
import { generateSm2Key, sm2Signer } from '../../evidence/gm/sm2.ts'

const bytes = (hexadecimal: string) => Buffer.from(hexadecimal, 'hex')
const FORMS: readonly Sm2Form[] = ['der', 'c1c3c2', 'c1c2c3']

// GB/T 32918.5 Annex C: the example of encryption on the recommended curve.
const VECTOR = {
  point:
    '09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13',
  d: '3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8',
  text: 'encryption standard',
  k: '59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21',
  c1: '0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0',
  c3: '59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766',
  c2: '21886ca989ca9c7d58087307ca93092d651efa',
}
const SPKI = bytes(`3059301306072a8648ce3d020106082a811ccf5501822d03420004${VECTOR.point}`)
const PKCS8 = bytes(
  `308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420${VECTOR.d}a14403420004${VECTOR.point}`,
)

describe('SM2 encryption', () => {
  it("makes the standard's example with the standard's nonce, in both orders", () => {
    const make = (form: Sm2Form) =>
      sm2EncryptWith(SPKI, Buffer.from(VECTOR.text), bytes(VECTOR.k), form)?.toString('hex')
    expect(make('c1c3c2')).to.equal(VECTOR.c1 + VECTOR.c3 + VECTOR.c2)
    expect(make('c1c2c3')).to.equal(VECTOR.c1 + VECTOR.c2 + VECTOR.c3)
  })

  it("decrypts the standard's example", () => {
    const cipher = bytes(VECTOR.c1 + VECTOR.c3 + VECTOR.c2)
    expect(sm2Decrypt(PKCS8, cipher, 'c1c3c2').toString()).to.equal(VECTOR.text)
  })

  it('decrypts what it encrypts, in each form, each time with another text', () => {
    const key = generateSm2Key()
    const { spki } = sm2Signer(key)
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 80 }),
        fc.constantFrom(...FORMS),
        (text, form) => {
          const [one, two] = [sm2Encrypt(spki, text, form), sm2Encrypt(spki, text, form)]
          expect(one.equals(two)).to.equal(false)
          expect(sm2Decrypt(key, one, form)).to.deep.equal(Buffer.from(text))
        },
      ),
      { numRuns: 15 },
    )
  })

  for (const form of FORMS) {
    it(`refuses each changed byte of ${form}, each cut, and another key`, () => {
      const key = generateSm2Key()
      const cipher = sm2Encrypt(sm2Signer(key).spki, Buffer.alloc(16, 7), form)
      for (let at = 0; at < cipher.length; at++) {
        const changed = Buffer.from(cipher)
        changed[at] = (changed[at] ?? 0) ^ 1
        expect(() => sm2Decrypt(key, changed, form), `byte ${at}`).to.throw()
        expect(() => sm2Decrypt(key, cipher.subarray(0, at), form), `cut ${at}`).to.throw()
      }
      expect(() => sm2Decrypt(generateSm2Key(), cipher, form)).to.throw(/not encrypted to this key/)
    }).timeout(60_000)
  }

  it('refuses a text that is empty or too long', () => {
    expect(() => sm2Encrypt(SPKI, Buffer.alloc(0), 'der')).to.throw(/short text/)
    expect(() => sm2Encrypt(SPKI, Buffer.alloc(1025), 'der')).to.throw(/short text/)
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { signDetached, verifyDetached } from '../../evidence/gm/cms.ts'
import {
  generateSm2Key,
  signDigest,
  SM2_DEFAULT_ID,
  sm2Signer,
  sm2Verify,
} from '../../evidence/gm/sm2.ts'
import { sm3 } from '../../evidence/gm/sm3.ts'
import { createSelfSigned, generateKey, keySigner } from '../../evidence/x509-issue.ts'

// The example of GB/T 32918.2 with the default id, as recomputed for GM/T 0009.
const VECTOR = {
  d: '3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8',
  point:
    '09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13',
  message: 'message digest',
  e: 'f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640',
  k: '59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21',
  r: 'f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3',
  s: 'b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa',
}
const bytes = (hexadecimal: string) => Buffer.from(hexadecimal, 'hex')
const number = (hexadecimal: string) => BigInt(`0x${hexadecimal}`)
const vectorSpki = bytes(`3059301306072a8648ce3d020106082a811ccf5501822d03420004${VECTOR.point}`)
const vectorSignature = bytes(`3046022100${VECTOR.r}022100${VECTOR.s}`)

describe('SM3', () => {
  // prettier-ignore
  const TABLE = [
    { text: 'abc', want: '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0' },
    { text: '',    want: '1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b' },
  ]
  for (const { text, want } of TABLE) {
    it(`of ${JSON.stringify(text)} is the standard's`, () => {
      expect(createHash('sm3').update(text).digest('hex')).to.equal(want)
    })
  }
})

describe('SM3 without node:crypto', () => {
  it('agrees with node:crypto, at every length about a block and for any bytes', () => {
    for (let length = 0; length < 200; length += 1) {
      const data = Buffer.alloc(length, length)
      expect(Buffer.from(sm3(data)), `${length}`).to.deep.equal(
        createHash('sm3').update(data).digest(),
      )
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (data) => {
        expect(Buffer.from(sm3(data)).equals(createHash('sm3').update(data).digest())).to.equal(
          true,
        )
      }),
    )
  })
})

describe('SM2', () => {
  it("signs the standard's example with the standard's nonce", () => {
    const signature = signDigest(number(VECTOR.d), number(VECTOR.e), bytes(VECTOR.k))
    expect(Buffer.from(signature ?? []).toString('hex')).to.equal(vectorSignature.toString('hex'))
  })

  it("verifies the standard's example, which fixes ZA and e too", () => {
    expect(sm2Verify(vectorSpki, Buffer.from(VECTOR.message), vectorSignature)).to.equal(true)
  })

  it('verifies what it signs, each time with another signature', async () => {
    const signer = sm2Signer(generateSm2Key())
    const message = Buffer.from('检查点')
    const signatures = await Promise.all([1, 2, 3].map(() => signer.sign(message)))
    for (const signature of signatures) {
      expect(sm2Verify(signer.spki, message, signature)).to.equal(true)
    }
    expect(new Set(signatures.map((each) => Buffer.from(each).toString('hex'))).size).to.equal(3)
  })

  const N = number('fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123')
  const overN = (number(VECTOR.r) + N).toString(16).padStart(66, '0')
  // prettier-ignore
  const REJECT: { name: string; spki?: Buffer; message?: string; signature?: Buffer; id?: string }[] = [
    { name: 'another message',           message: 'message digesu' },
    { name: 'another id',                id: '' },
    { name: 'another key',               spki: Buffer.from(sm2Signer(generateSm2Key()).spki) },
    { name: 'a P-256 key',               spki: Buffer.from(keySigner(generateKey()).spki) },
    { name: 'a point off the curve',     spki: Buffer.concat([vectorSpki.subarray(0, -1), bytes('14')]) },
    { name: 'r of zero',                 signature: bytes(`3026020100022100${VECTOR.s}`) },
    { name: 's of zero',                 signature: bytes(`3026022100${VECTOR.r}020100`) },
    { name: 'r beyond the order',        signature: bytes(`30460221${overN}022100${VECTOR.s}`) },
    { name: 'r and s exchanged',         signature: bytes(`3046022100${VECTOR.s}022100${VECTOR.r}`) },
    { name: 'a padded integer',          signature: bytes(`304702220000${VECTOR.r}022100${VECTOR.s}`) },
    { name: 'a negative integer',        signature: bytes(`30450220${VECTOR.r}022100${VECTOR.s}`) },
    { name: 'bytes after the signature', signature: Buffer.concat([vectorSignature, bytes('00')]) },
    { name: 'no signature',              signature: Buffer.alloc(0) },
    { name: 'no key',                    spki: Buffer.alloc(0) },
  ]
  for (const {
    name,
    spki = vectorSpki,
    message = VECTOR.message,
    signature = vectorSignature,
    id = SM2_DEFAULT_ID,
  } of REJECT) {
    it(`rejects ${name}`, () => {
      expect(sm2Verify(spki, Buffer.from(message), signature, id)).to.equal(false)
    })
  }

  it('rejects a private key of another curve', () => {
    const p256 = generateKey().export({ type: 'pkcs8', format: 'der' })
    expect(() => sm2Signer(p256)).to.throw('expected SM2')
  })
})

describe('detached SM2 messages', () => {
  const at = new Date('2026-11-24T10:00:00Z')
  const content = Buffer.from('origin\n1\nroot\n')
  const signer = sm2Signer(generateSm2Key())
  let certificateDer: Uint8Array
  before(async () => {
    certificateDer = await createSelfSigned(signer, { at, days: 365 })
  })

  for (const profile of ['cms', 'gm'] as const) {
    it(`are verified in the ${profile} profile, and named self-made`, async () => {
      const message = await signDetached(content, signer, certificateDer, profile)
      const result = verifyDetached(message, content, { trusted: [certificateDer], at })
      expect(result.reasons).to.deep.equal([])
      expect(result.development).to.equal(true)
    })
  }

  // prettier-ignore
  const REJECT = [
    { name: 'other content',            change: { content: Buffer.from('other') },             want: /^the SM2 signature is wrong$/ },
    { name: 'a signer nobody trusts',   change: { trusted: [] },                               want: /is not among the trusted signers$/ },
    { name: 'a time after the end',     change: { at: new Date('2028-01-01T00:00:00Z') },      want: /was not valid at 2028/ },
    { name: 'another id',               change: { id: 'ALICE123@YAHOO.COM' },                  want: /^the SM2 signature is wrong$/ },
  ]
  for (const { name, change, want } of REJECT) {
    it(`are rejected with ${name}`, async () => {
      const message = await signDetached(content, signer, certificateDer, 'gm')
      const question = { content, trusted: [certificateDer], at, ...change }
      const { valid, reasons } = verifyDetached(message, question.content, question)
      expect(reasons.join('; ')).to.match(want)
      expect(valid).to.equal(false)
    })
  }

  it('are rejected with a bit flipped in any byte outside of the signature', async () => {
    const message = await signDetached(content, signer, certificateDer, 'gm')
    const accepted: number[] = []
    for (let byte = 0; byte < message.length - 72; byte++) {
      const copy = Uint8Array.from(message)
      copy[byte] = (copy[byte] ?? 0) ^ (1 << (byte & 7))
      const { reasons } = verifyDetached(copy, content, { trusted: [certificateDer], at })
      if (reasons.every((reason) => reason.startsWith('the SM2'))) accepted.push(byte)
    }
    expect(accepted).to.deep.equal([])
  })
})

import { expect } from 'chai'
import { generateKeyPairSync, sign } from 'node:crypto'
import * as pkijs from 'pkijs'
import { parseDer, toBuffer, writeDer } from '../../evidence/der.ts'
import { isSignedBy } from '../../evidence/x509-signature.ts'

const ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const BYTES = Buffer.from('signed')

describe('a signature in a certificate', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = pkijs.PublicKeyInfo.fromBER(
    toBuffer(publicKey.export({ type: 'spki', format: 'der' })),
  )
  const algorithm = new pkijs.AlgorithmIdentifier({ algorithmId: ECDSA_SHA256 })
  const check = (signature: Uint8Array) => isSignedBy({ key, bytes: BYTES, signature, algorithm })

  /** One whose second number has a leading zero, and whose first one ends in what may stand there. */
  function findSignature(): { good: Buffer; r: Uint8Array; s: Uint8Array } {
    for (;;) {
      const good = sign('sha256', BYTES, privateKey)
      const [r, s] = parseDer(good).parts.map(({ content }) => content)
      const last = r?.at(-1) ?? 0
      if (r !== undefined && s?.length === 33 && last > 0 && last < 0x80) return { good, r, s }
    }
  }

  it('has one spelling: no number longer than the curve', async () => {
    const { good, r, s } = findSignature()
    expect(await check(good)).to.equal(true)
    const long = Buffer.from(s)
    long[0] = r.at(-1) ?? 0
    expect(await check(writeDer(0x30, writeDer(0x02, r), writeDer(0x02, long)))).to.equal(false)
  })
})

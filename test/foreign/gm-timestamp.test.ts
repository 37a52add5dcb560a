import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyTimestampResponse } from '../../evidence/timestamp/verify.ts'
import { BOUNCY_CASTLE_PROBE, expectVerdicts } from './bouncycastle.ts'
import { describeForeign, makeFolder } from './tool.ts'

const data = Buffer.from('检查点\n')

describeForeign(
  'time stamps of a BouncyCastle authority under SM2 and SM3',
  BOUNCY_CASTLE_PROBE,
  () => {
    const folder = makeFolder({ data })
    const read = (file: string) => readFileSync(join(folder.path, file))
    before(function () {
      this.timeout(60_000)
      expectVerdicts('Sm2Tsa', [], ['tsr made 0'], folder.path)
    })
    after(() => folder.remove())
    const verify = (response: Uint8Array, content = data) =>
    verifyTimestampResponse(response, content, { roots: [read('root')], nonce: 4711n, policy: '1.2.156.1.1' }) // prettier-ignore

    it('are accepted, with path, nonce and policy', async () => {
      const { reasons, info, chain } = await verify(read('tsr'))
      expect(reasons).to.deep.equal([])
      expect(info).to.include({ algorithm: '1.2.156.10197.1.401', nonce: 4711n })
      expect(chain).to.have.length(2)
    })

    it('are refused over other data, and with any bit of content, attributes or signature flipped', async () => {
      expect((await verify(read('tsr'), Buffer.from('other'))).reasons.join()).to.equal('the token stamps other data') // prettier-ignore
      const response = read('tsr')
      for (let at = Math.floor(response.length * 0.8); at < response.length; at += 7) {
        const { valid } = await verify(response.with(at, response.readUInt8(at) ^ 1))
        expect(valid, `byte ${at}`).to.equal(false)
      }
      const at = response.indexOf(Buffer.from('检查')) // The data itself is not in the token.
      expect(at).to.equal(-1)
    })
  },
)

import { createHash } from 'node:crypto'
import { systemClock } from '../../base/clock.ts'
import { createTimestampAuthority } from '../../evidence/timestamp/authority.ts'
import { encodeRequest, makeRequest } from '../../evidence/timestamp/request.ts'
import { DIGESTS } from '../../evidence/timestamp/token.ts'
import { createAuthority, generateKey, issueTimestampAuthority, keySigner, toIssuer } from '../../evidence/x509-issue.ts' // prettier-ignore
import { BOUNCY_CASTLE_PROBE, expectVerdicts } from './bouncycastle.ts'
import { describeForeign, makeFolder } from './tool.ts'

const data = Buffer.from('origin\n1\nroot\n\n— origin AAAA\n')

describeForeign('BouncyCastle on time stamps', BOUNCY_CASTLE_PROBE, () => {
  const folder = makeFolder({ data, other: 'other' })
  after(() => folder.remove())

  it('accepts ours by each digest, and refuses other data and mutated ones', async () => {
    const at = new Date()
    const { root, issuing } = await createAuthority(at)
    const signer = keySigner(generateKey())
    const names = { commonName: 'TSA', organization: '某某征信有限公司', at, days: 30 }
    const certificateDer = await issueTimestampAuthority(toIssuer(issuing), signer.spki, names)
    const chainDer = [issuing.certificateDer, root.certificateDer]
    const authority = createTimestampAuthority({ signer, certificateDer, chainDer, clock: systemClock }) // prettier-ignore
    const args: string[] = []
    const want: string[] = []
    for (const name of DIGESTS.values()) {
      const imprint = createHash(name.replace('-', '')).update(data).digest()
      const response = await authority(encodeRequest(makeRequest(name, imprint)))
      args.push(folder.put(name, response), 'data', name, 'other')
      want.push(`${name} valid`, `${name} refused`)
      // In what is stamped, in the signed attributes, in the signature.
      for (const share of [0.1, 0.9, 0.99]) {
        const mutated = Uint8Array.from(response)
        const position = Math.floor(response.length * share)
        mutated[position] = (mutated[position] ?? 0) ^ 1
        args.push(folder.put(`${name}-${share}`, mutated), 'data')
        want.push(`${name}-${share} refused`)
      }
    }
    expectVerdicts('Tsp', args, want, folder.path)
  }).timeout(60_000)
})

import { expect } from 'chai'
import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { createTimestampAuthority } from '../../evidence/timestamp/authority.ts'
import { encodeRequest, makeRequest, parseRequest } from '../../evidence/timestamp/request.ts'
import { tokenOfResponse } from '../../evidence/timestamp/token.ts'
import { verifyTimestampResponse } from '../../evidence/timestamp/verify.ts'
import {
  createAuthority,
  generateKey,
  issueSeal,
  issueTimestampAuthority,
  keySigner,
  toIssuer,
} from '../../evidence/x509-issue.ts'

const at = new Date('2026-11-24T10:00:00Z')
const data = Buffer.from('origin\n1\nroot\n\n— origin AAAA\n')
const imprint = createHash('sha256').update(data).digest()
const names = { commonName: 'TSA', organization: '某某征信有限公司' }
const { root, issuing } = await createAuthority(at)
const stranger = await createAuthority(at)
const chainDer = [issuing.certificateDer, root.certificateDer]
const roots = [root.certificateDer]

let wallUs = BigInt(at.getTime()) * 1000n
let monotonicNs = 0n
const clock: Clock = { wallUs: () => wallUs, monotonicNs: () => monotonicNs }
beforeEach(() => {
  wallUs = BigInt(at.getTime()) * 1000n
  monotonicNs = 0n
})

async function makeAuthority(kind: 'tsa' | 'seal' = 'tsa', days = 30) {
  const signer = keySigner(generateKey())
  const certificateDer =
    kind === 'tsa'
      ? await issueTimestampAuthority(toIssuer(issuing), signer.spki, { ...names, at, days })
      : await issueSeal(toIssuer(issuing), signer.spki, { ...names, at, hours: 24 })
  return createTimestampAuthority({ signer, certificateDer, chainDer, clock })
}
const stamp = await makeAuthority()
const request = makeRequest('SHA-256', imprint)
const response = await stamp(encodeRequest(request))

describe('verifyTimestampResponse', () => {
  it('accepts a token of the embedded authority and says that it is untrusted', async () => {
    const { nonce } = request
    const trust = { roots, ...(nonce === undefined ? {} : { nonce }), policy: '2.999.3161.1' }
    const result = await verifyTimestampResponse(response, data, trust)
    expect(result.reasons).to.deep.equal([])
    expect(result.info?.time).to.deep.equal(at)
    expect(result.info?.accuracyMs).to.equal(1000)
    expect(result.development).to.equal(true)
    expect(result.chain).to.have.length(3)
  })

  it('accepts a token without certificates when they are given', async () => {
    const bare = await stamp(encodeRequest({ ...request, certificates: false }))
    const certificate = (await verifyTimestampResponse(response, data, { roots })).chain
    expect(
      (await verifyTimestampResponse(bare, data, { roots, untrusted: certificate })).valid,
    ).to.equal(true)
    expect((await verifyTimestampResponse(bare, data, { roots })).reasons).to.deep.equal([
      "the signer's certificate is missing",
    ])
  })

  // prettier-ignore
  const REJECT: { name: string; change: () => Promise<Parameters<typeof verifyTimestampResponse>>; want: RegExp }[] = [
    { name: 'other data',             change: async () => [response, Buffer.from('other'), { roots }],                             want: /^the token stamps other data$/ },
    { name: 'another nonce',          change: async () => [response, data, { roots, nonce: 1n }],                                  want: /^the token answers another request \(nonce\)$/ },
    { name: 'a missing nonce',        change: async () => [await stamp(encodeRequest(without('nonce'))), data, { roots, nonce: 1n }], want: /another request/ },
    { name: 'another policy',         change: async () => [response, data, { roots, policy: '1.2.3' }],                            want: /^the token has policy 2\.999\.3161\.1, expected 1\.2\.3$/ },
    { name: 'a foreign root',         change: async () => [response, data, { roots: [stranger.root.certificateDer] }],             want: /^no issuer found/ },
    { name: 'a seal certificate',     change: async () => [await (await makeAuthority('seal'))(encodeRequest(request)), data, { roots }], want: /needs extKeyUsage timeStamping/ },
    { name: 'an expired certificate', change: async () => [await expired(), data, { roots }],                                      want: /^`CN=TSA, .*` was expired at 2026-11-26/ },
    { name: 'a lack of revocation lists', change: async () => [response, data, { roots, revocationLists: [] }],                    want: /^no revocation list for `CN=TSA/ },
    { name: 'bytes after it',         change: async () => [Buffer.concat([response, Buffer.of(0)]), data, { roots }],              want: /^not a time stamp: expected one DER value/ },
    { name: 'a bare token',           change: async () => [tokenOfResponse(response), data, { roots }],                            want: /^not a time stamp/ },
    { name: 'too many bytes',         change: async () => [Buffer.alloc(70_000), data, { roots }],                                 want: /over 65536 bytes/ },
    { name: 'a refusal',              change: async () => [await stamp(Buffer.from('x')), data, { roots }],                        want: /the authority refuses with status 2/ },
  ]
  for (const { name, change, want } of REJECT) {
    it(`rejects ${name}`, async () => {
      const result = await verifyTimestampResponse(...(await change()))
      expect(result.reasons.join('; ')).to.match(want)
      expect(result.valid).to.equal(false)
    })
  }

  async function expired(): Promise<Uint8Array> {
    const shortLived = await makeAuthority('tsa', 1)
    wallUs += 2n * 86_400_000_000n
    monotonicNs += 2n * 86_400_000_000_000n
    return shortLived(encodeRequest(request))
  }
  function without(name: 'nonce') {
    const { [name]: _, ...rest } = request
    return rest
  }

  it('rejects a response cut at any byte', async () => {
    for (let length = 0; length < response.length; length++) {
      const result = await verifyTimestampResponse(response.subarray(0, length), data, { roots })
      expect(result.valid, `length ${length}`).to.equal(false)
    }
  })

  it('rejects one flipped bit in any byte', async () => {
    const bare = await stamp(encodeRequest({ ...request, certificates: false }))
    const untrusted = (await verifyTimestampResponse(response, data, { roots })).chain
    const accepted: number[] = []
    for (let byte = 0; byte < bare.length; byte++) {
      const copy = Uint8Array.from(bare)
      copy[byte] = (copy[byte] ?? 0) ^ (1 << (byte & 7))
      const { valid } = await verifyTimestampResponse(copy, data, { roots, untrusted })
      if (valid) accepted.push(byte)
    }
    expect(accepted).to.deep.equal([])
  })
})

describe('the embedded authority', () => {
  it('reads the requests that it writes', () => {
    expect(parseRequest(encodeRequest(request))).to.deep.equal({
      ...request,
      digest: new Uint8Array(request.digest),
    })
  })

  it('gives rising serial numbers even when its clock stands still', async () => {
    const serials: bigint[] = []
    for (let i = 0; i < 5; i++) {
      const answer = await stamp(encodeRequest(request))
      const { info } = await verifyTimestampResponse(answer, data, { roots })
      serials.push(info?.serial ?? 0n)
    }
    for (const [i, serial] of serials.entries())
      expect(serial > (serials[i - 1] ?? 0n)).to.equal(true)
  })

  // prettier-ignore
  const JUMPS = [
    { name: 'an hour ahead',  us: 3_600_000_000n },
    { name: 'an hour back',   us: -3_600_000_000n },
    { name: 'a second ahead', us: 1_000_000n },
  ]
  for (const { name, us } of JUMPS) {
    it(`refuses for good once its clock was set ${name}`, async () => {
      const authority = await makeAuthority()
      await authority(encodeRequest(request))
      wallUs += us
      const first = await verifyTimestampResponse(await authority(encodeRequest(request)), data, {
        roots,
      })
      expect(first.reasons).to.deep.equal(['not a time stamp: the authority refuses with status 2'])
      wallUs -= us
      const second = await verifyTimestampResponse(await authority(encodeRequest(request)), data, {
        roots,
      })
      expect(second.valid).to.equal(false)
    })
  }

  it('goes on when its clock is slewed', async () => {
    const authority = await makeAuthority()
    for (let minute = 0; minute < 10; minute++) {
      wallUs += 60_400_000n
      monotonicNs += 60_000_000_000n
      const answer = await authority(encodeRequest(request))
      expect((await verifyTimestampResponse(answer, data, { roots })).reasons).to.deep.equal([])
    }
  })

  it('refuses a policy that it does not have', async () => {
    const answer = await stamp(encodeRequest({ ...request, policy: '1.2.3' }))
    expect(Buffer.from(answer).toString('latin1')).to.include('the policy here is 2.999.3161.1')
  })
})

import { expect } from 'chai'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { verifyChain } from '../../evidence/certificate.ts'
import { type Identity, openSealIdentity } from '../../evidence/x509-identity.ts'
import { openRevocationLists, revokeCertificate } from '../../evidence/x509-lists.ts'
import { readCertificate } from '../../evidence/x509-profile.ts'

const DAY_US = 86_400_000_000n

describe('the revocation lists of the key folder', () => {
  let folder: string
  let nowUs: bigint
  let seal: Identity
  const clock: Clock = { wallUs: () => nowUs, monotonicNs: () => 0n }
  const now = () => new Date(Number(nowUs / 1000n))
  const lists = () => openRevocationLists(folder, clock)
  const check = async (at: Date, revocationLists: readonly Uint8Array[]) => {
    const { certificateDer: leafDer, chainDer } = seal
    const path = { intermediates: chainDer.slice(0, 1), roots: chainDer.slice(1) }
    return (await verifyChain({ leafDer, ...path, at, purpose: 'seal', revocationLists })).reasons
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sealgate-lists-'))
    nowUs = BigInt(Date.parse('2026-11-24T10:00:00Z')) * 1000n
    seal = await openSealIdentity(folder, {
      organization: '某某征信有限公司',
      instance: 'gw-1',
      clock,
    })
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('are made on first use, and let the seal pass', async () => {
    expect(await check(now(), await lists())).to.deep.equal([])
    expect(readdirSync(folder)).to.include.members(['issuing.crl.pem', 'root.crl.pem'])
  })

  it('are kept until half of their life is over', async () => {
    const first = await lists()
    nowUs += DAY_US * 3n
    expect(await lists()).to.deep.equal(first)
    nowUs += DAY_US
    const second = await lists()
    expect(second[0]).to.not.deep.equal(first[0])
    expect(second[1]).to.deep.equal(first[1])
    expect(await check(now(), second)).to.deep.equal([])
  })

  it('name a revoked seal from then on, also when they are renewed', async () => {
    const signedAt = now()
    await lists()
    nowUs += DAY_US
    const { serial } = readCertificate(seal.certificateDer)
    await revokeCertificate(folder, 'issuing', serial, clock)
    nowUs += DAY_US * 4n
    await revokeCertificate(folder, 'issuing', serial, clock)
    const current = await lists()
    expect((await check(now(), current)).join()).to.match(
      /^`CN=gw-1, .*` was revoked at 2026-11-25T10/,
    )
    expect(await check(signedAt, current)).to.deep.equal([])
  })

  // prettier-ignore
  const REJECT = [
    { name: 'a damaged list',          spoil: () => writeFileSync(join(folder, 'issuing.crl.pem'), readFileSync(join(folder, 'seal.pem'))), serial: '01', want: /issuing\.crl\.pem: expected a revocation list/ },
    { name: 'a missing authority key', spoil: () => rmSync(join(folder, 'issuing.pem')),                                                    serial: '01', want: /issuing\.pem: needed to revoke/ },
    { name: 'no serial number',        spoil: () => undefined,                                                                              serial: 'gw-1', want: /expected a serial number/ },
  ]
  for (const { name, spoil, serial, want } of REJECT) {
    it(`are not made with ${name}`, async () => {
      spoil()
      const error = await revokeCertificate(folder, 'issuing', serial, clock).then(
        () => undefined,
        (thrown: Error) => thrown,
      )
      expect(error).to.have.property('slug', 'key-unusable')
      expect(error?.message).to.match(want)
    })
  }
})

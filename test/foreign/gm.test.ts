import { expect } from 'chai'
import { signDetached, verifyDetached } from '../../evidence/gm/cms.ts'
import { generateSm2Key, SM2_DEFAULT_ID, sm2Signer, sm2Verify } from '../../evidence/gm/sm2.ts'
import { readPem, toPem } from '../../evidence/pem.ts'
import { createSelfSigned } from '../../evidence/x509-issue.ts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BOUNCY_CASTLE_PROBE, expectVerdicts } from './bouncycastle.ts'
import { describeForeign, makeFolder, runTool } from './tool.ts'

const content = Buffer.from('origin\n1\nroot\n')

describeForeign('openssl on SM2 signatures', ['openssl', 'version'], () => {
  const folder = makeFolder({ content })
  const openssl = (...args: string[]) => runTool('openssl', args, folder.path)
  after(() => folder.remove())
  const dgst = (id: string, file: string, ...args: string[]) =>
    openssl('dgst', '-sm3', '-sigopt', `distid:${id}`, ...args, file)

  it('accepts ours with the default id, and rejects another id and other content', async () => {
    const signer = sm2Signer(generateSm2Key())
    folder.put('public', toPem('PUBLIC KEY', signer.spki))
    folder.put('signature', await signer.sign(content))
    folder.put('other', 'other')
    const verify = ['-verify', 'public', '-signature', 'signature']
    expect(dgst(SM2_DEFAULT_ID, 'content', ...verify).text).to.equal('Verified OK\n')
    expect(dgst('other', 'content', ...verify).ok).to.equal(false)
    expect(dgst(SM2_DEFAULT_ID, 'other', ...verify).ok).to.equal(false)
  })

  it('makes signatures that ours accepts, from keys that ours reads', async () => {
    const made = [
      openssl('genpkey', '-algorithm', 'SM2', '-out', 'key'),
      openssl('pkey', '-in', 'key', '-pubout', '-out', 'public'),
      dgst(SM2_DEFAULT_ID, 'content', '-sign', 'key', '-out', 'signature'),
    ]
    for (const { ok, text } of made) expect(ok, text).to.equal(true)
    const read = (file: string) => readFileSync(join(folder.path, file))
    const [spki = new Uint8Array()] = readPem(read('public').toString(), 'PUBLIC KEY')
    const [pkcs8 = new Uint8Array()] = readPem(read('key').toString(), 'PRIVATE KEY')
    expect(sm2Verify(spki, content, read('signature'))).to.equal(true)
    expect(sm2Verify(spki, Buffer.from('other'), read('signature'))).to.equal(false)
    expect(Buffer.from(sm2Signer(pkcs8).spki)).to.deep.equal(Buffer.from(spki))
  })
})

describeForeign('BouncyCastle on detached SM2 messages', BOUNCY_CASTLE_PROBE, () => {
  const folder = makeFolder({ content, other: 'other' })
  after(() => folder.remove())

  it('accepts ours in both profiles, and rejects mutated ones', async () => {
    const at = new Date()
    const signer = sm2Signer(generateSm2Key())
    const certificateDer = await createSelfSigned(signer, { at, days: 365 })
    const args: string[] = []
    const want: string[] = []
    for (const profile of ['cms', 'gm'] as const) {
      const message = await signDetached(content, signer, certificateDer, profile)
      expect(
        verifyDetached(message, content, { trusted: [certificateDer], at }).reasons,
      ).to.deep.equal([])
      const mutated = Uint8Array.from(message)
      mutated[mutated.length - 1] = (mutated.at(-1) ?? 0) ^ 1
      args.push(
        folder.put(profile, message),
        'content',
        profile,
        'other',
        folder.put(`${profile}-mutated`, mutated),
        'content',
      )
      want.push(`${profile} valid`, `${profile} refused`, `${profile}-mutated refused`)
    }
    expectVerdicts('Sm2', args, want, folder.path)
  }).timeout(60_000)
})

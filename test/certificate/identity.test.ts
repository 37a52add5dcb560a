import { expect } from 'chai'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { verifyChain } from '../../evidence/certificate.ts'
import { openSealIdentity, openTimestampIdentity } from '../../evidence/x509-identity.ts'
import { readCertificate } from '../../evidence/x509-profile.ts'

const DAY_US = 86_400_000_000n

describe('the key folder', () => {
  let folder: string
  let nowUs: bigint
  const clock: Clock = { wallUs: () => nowUs, monotonicNs: () => 0n }
  const options = { organization: '某某征信有限公司', instance: 'gw-1', clock }
  const open = (hours?: number) =>
    openSealIdentity(folder, { ...options, ...(hours === undefined ? {} : { hours }) })

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'sealgate-keys-')), 'keys')
    nowUs = BigInt(Date.parse('2026-11-24T10:00:00Z')) * 1000n
  })
  afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

  it('makes a valid identity on first use, in files for the owner alone', async () => {
    const identity = await open()
    const [issuing, root] = identity.chainDer
    const result = await verifyChain({
      leafDer: identity.certificateDer,
      intermediates: issuing === undefined ? [] : [issuing],
      roots: root === undefined ? [] : [root],
      at: new Date(Number(nowUs / 1000n)),
      purpose: 'seal',
    })
    expect(result.reasons).to.deep.equal([])
    expect(identity.notAfter.toISOString()).to.equal('2026-12-01T10:00:00.000Z')
    expect(identity.development).to.equal(true)
    const modes = readdirSync(folder).map((file) => {
      return `${file} ${(statSync(join(folder, file)).mode & 0o777).toString(8)}`
    })
    expect(modes).to.deep.equal([
      'issuing.pem 600',
      'root.crt.pem 644',
      'root.pem 600',
      'seal.pem 600',
    ])
  })

  it('keeps the identity until a fifth of its life is left, then makes a new key', async () => {
    const first = await open(24)
    nowUs += (DAY_US * 4n) / 5n - 1_000_000n
    expect((await open(24)).certificateDer).to.deep.equal(first.certificateDer)
    nowUs += 1_000_000n
    const second = await open(24)
    expect(readCertificate(second.certificateDer).spki).to.not.deep.equal(
      readCertificate(first.certificateDer).spki,
    )
    expect(second.chainDer).to.deep.equal(first.chainDer)
  })

  it('gives seal and time stamping one authority', async () => {
    const seal = await open()
    const tsa = await openTimestampIdentity(folder, options)
    expect(tsa.chainDer).to.deep.equal(seal.chainDer)
  })

  it('gives instances that start at once one authority', async () => {
    const identities = await Promise.all(Array.from({ length: 8 }, () => open()))
    for (const { chainDer } of identities) expect(chainDer).to.deep.equal(identities[0]?.chainDer)
    expect(readdirSync(folder).filter((file) => file.endsWith('.tmp'))).to.deep.equal([])
  })

  it('uses an outside certificate until its end, without a key of the issuer', async () => {
    await open()
    for (const file of ['root.pem', 'issuing.pem', 'root.crt.pem']) rmSync(join(folder, file))
    nowUs += DAY_US * 6n
    const { notAfter, renewAt } = await open()
    expect(notAfter.toISOString()).to.equal('2026-12-01T10:00:00.000Z')
    expect(renewAt).to.deep.equal(notAfter) // Not before: nothing here could do it.
    nowUs += DAY_US * 2n
    await expectProblem(open(), /seal\.pem: expired at 2026-12-01T10:00:00.000Z/)
    expect(readdirSync(folder)).to.deep.equal(['seal.pem'])
  })

  it('rejects a clock that is behind the certificate', async () => {
    await open()
    nowUs -= 1_000_000n
    await expectProblem(
      open(),
      /seal\.pem: not valid before 2026-11-24T10:00:00.000Z, check the clock/,
    )
  })

  it('renews the seal with the root offline', async () => {
    await open()
    rmSync(join(folder, 'root.pem'))
    nowUs += DAY_US * 7n
    expect((await open()).notAfter.toISOString()).to.equal('2026-12-08T10:00:00.000Z')
    nowUs += DAY_US * 365n * 5n
    await expectProblem(open(), /root\.pem: needed to renew issuing\.pem/)
  })

  // prettier-ignore
  const REJECT: { name: string; spoil: () => void; want: RegExp }[] = [
    { name: 'a file open to the group', spoil: () => chmodSync(join(folder, 'seal.pem'), 0o640),           want: /seal\.pem: mode is 0640, expected 0600/ },
    { name: 'a key of another',         spoil: () => swapKey(),                                            want: /seal\.pem: the certificate is for another key/ },
    { name: 'an empty file',            spoil: () => writeFileSync(join(folder, 'seal.pem'), ''),          want: /seal\.pem: expected one private key/ },
    { name: 'a truncated file',         spoil: () => writeFileSync(join(folder, 'seal.pem'), read('seal.pem').slice(0, 100)), want: /`PRIVATE KEY` block 1/ },
    { name: 'a damaged key',            spoil: () => writeFileSync(join(folder, 'seal.pem'), read('seal.pem').replace(/MIG/, 'MIH')), want: /seal\.pem: the private key is damaged/ },
    { name: 'a folder in its place',    spoil: () => { rmSync(join(folder, 'seal.pem')); writeFileSync(join(folder, 'x'), ''); rmSync(folder, { recursive: true }); writeFileSync(folder, '') }, want: /seal\.pem: cannot be read/ },
  ]
  for (const { name, spoil, want } of REJECT) {
    it(`rejects ${name}`, async () => {
      await open()
      spoil()
      await expectProblem(open(), want)
    })
  }

  it('rejects a seal life outside of 24 to 168 hours', async () => {
    await expectProblem(open(23), /seal life is 23 hours/)
    await expectProblem(open(169), /seal life is 169 hours/)
  })

  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  function swapKey(): void {
    const key = /-----BEGIN PRIVATE KEY[\s\S]*?END PRIVATE KEY-----\n/
    const other = key.exec(read('root.pem'))?.[0] ?? ''
    writeFileSync(join(folder, 'seal.pem'), read('seal.pem').replace(key, other))
  }
})

async function expectProblem(result: Promise<unknown>, want: RegExp): Promise<void> {
  const error = await result.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).to.be.instanceOf(Problem)
  expect(error).to.have.property('slug', 'key-unusable')
  expect(error).to.have.property('message').that.matches(want)
}

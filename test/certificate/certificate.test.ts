import { expect } from 'chai'
import { verifyChain, type ChainQuestion } from '../../evidence/certificate.ts'
import {
  createAuthority,
  createIssuing,
  createSelfSigned,
  generateKey,
  issueSeal,
  issueTimestampAuthority,
  keySigner,
  toIssuer,
} from '../../evidence/x509-issue.ts'
import { parseCertificate, readCertificate } from '../../evidence/x509-profile.ts'
import { readPem, toPem } from '../../evidence/pem.ts'

const at = new Date('2026-11-24T10:00:00Z')
const later = (hours: number) => new Date(at.getTime() + hours * 3_600_000)
const names = { commonName: '网关 1', organization: '某某征信有限公司' }

const authority = await createAuthority(at)
const stranger = await createAuthority(at)
const spki = keySigner(generateKey()).spki
const issuing = toIssuer(authority.issuing)
const seal = await issueSeal(issuing, spki, { ...names, at, hours: 24 })
const tsa = await issueTimestampAuthority(issuing, spki, { ...names, at, days: 30 })
const shallow = await issueSeal(toIssuer(authority.root), spki, { ...names, at, hours: 24 })
// The issuing authority has path length 0: it may not make another authority.
const deep = await createIssuing(issuing, at)
const deepSeal = await issueSeal(toIssuer(deep), spki, { ...names, at, hours: 24 })
const good: ChainQuestion = {
  leafDer: seal,
  intermediates: [authority.issuing.certificateDer],
  roots: [authority.root.certificateDer],
  at: later(1),
  purpose: 'seal',
}

function flip(der: Uint8Array, position: number): Uint8Array {
  const copy = Uint8Array.from(der)
  copy[position] = (copy[position] ?? 0) ^ 1
  return copy
}

describe('verifyChain', () => {
  // prettier-ignore
  const ACCEPT: { name: string; change: Partial<ChainQuestion> }[] = [
    { name: 'a seal in its life',              change: {} },
    { name: 'a seal in its first second',      change: { at } },
    { name: 'a seal in its last second',       change: { at: later(24) } },
    { name: 'a time stamping certificate',     change: { leafDer: tsa, purpose: 'timestamp', at: later(48) } },
    { name: 'a path among unrelated roots',    change: { roots: [stranger.root.certificateDer, authority.root.certificateDer] } },
    { name: 'a root among the intermediates',  change: { intermediates: [authority.root.certificateDer, authority.issuing.certificateDer] } },
  ]
  for (const { name, change } of ACCEPT) {
    it(`accepts ${name}`, async () => {
      const result = await verifyChain({ ...good, ...change })
      expect(result.reasons).to.deep.equal([])
      expect(result.valid).to.equal(true)
      expect(result.chain).to.have.length(3)
      expect(result.development).to.equal(true)
    })
  }

  // prettier-ignore
  const REJECT: { name: string; change: Partial<ChainQuestion>; want: RegExp }[] = [
    { name: 'a time before the seal',           change: { at: later(-1) },                                   want: /not yet valid/ },
    { name: 'a time after the seal',            change: { at: later(24.001) },                               want: /网关 1.* was expired/ },
    { name: 'a time after all',                 change: { at: later(30 * 365 * 24) },                        want: /root .* was expired/ },
    { name: 'a seal as time stamping',          change: { purpose: 'timestamp' },                            want: /needs extKeyUsage timeStamping/ },
    { name: 'time stamping as a seal',          change: { leafDer: tsa },                                    want: /expected none/ },
    { name: 'an authority as a seal',           change: { leafDer: authority.issuing.certificateDer },       want: /expected an end entity/ },
    { name: 'a missing intermediate',           change: { intermediates: [] },                               want: /no issuer found for `CN=网关 1/ },
    { name: 'a foreign root',                   change: { roots: [stranger.root.certificateDer] },           want: /no issuer found for .*issuing/ },
    { name: 'no root',                          change: { roots: [] },                                       want: /no issuer found for .*issuing/ },
    { name: 'a seal directly under the root',   change: { leafDer: shallow, intermediates: [] },             want: /expected the path seal, issuing/ },
    { name: 'an authority below path length 0', change: { leafDer: deepSeal, intermediates: [deep.certificateDer, authority.issuing.certificateDer] }, want: /allows 0 authorities below it, and has 1/ },
    { name: 'a broken seal signature',          change: { leafDer: flip(seal, seal.length - 1) },            want: /网关 1.* is not signed by its issuer/ },
    { name: 'a broken issuing signature',       change: { intermediates: [flip(authority.issuing.certificateDer, authority.issuing.certificateDer.length - 1)] }, want: /issuing .* is not signed/ },
    { name: 'bytes after the certificate',      change: { leafDer: Buffer.concat([seal, Buffer.of(0)]) },    want: /expected one DER certificate/ },
    { name: 'a truncated certificate',          change: { leafDer: seal.subarray(0, -1) },                   want: /expected one DER certificate/ },
    { name: 'no bytes',                         change: { leafDer: new Uint8Array() },                       want: /expected one DER certificate/ },
    { name: 'too many certificates',            change: { intermediates: Array(40).fill(authority.issuing.certificateDer) }, want: /more than 32/ },
  ]
  for (const { name, change, want } of REJECT) {
    it(`rejects ${name}`, async () => {
      const result = await verifyChain({ ...good, ...change })
      expect(result.reasons.join('; ')).to.match(want)
      expect(result.valid).to.equal(false)
    })
  }

  it('rejects a flipped bit in each byte, and every one that no signature covers', async () => {
    const end = parseCertificate(seal).tbsView.length + 4
    const accepted: number[] = []
    for (let byte = 0; byte < seal.length; byte++) {
      // Outer length, signature algorithm and BIT STRING header: no signature covers them.
      const bare = byte < 4 || (byte >= end && byte < end + 15)
      for (const bit of bare ? [0, 1, 2, 3, 4, 5, 6, 7] : [byte & 7]) {
        const leafDer = Uint8Array.from(seal)
        leafDer[byte] = (leafDer[byte] ?? 0) ^ (1 << bit)
        if ((await verifyChain({ ...good, leafDer })).valid) accepted.push(byte * 8 + bit)
      }
    }
    expect(accepted).to.deep.equal([])
  })

  it('ends soon on many issuers of one name', async () => {
    const roots = [stranger.root.certificateDer]
    const intermediates = Array.from({ length: 31 }, (_, index) =>
      flip(authority.issuing.certificateDer, authority.issuing.certificateDer.length - 1 - index),
    )
    const result = await verifyChain({ ...good, intermediates, roots })
    expect(result.reasons.join('; ')).to.match(/too many candidate issuers/)
  })
})

describe('the certificate profile', () => {
  it('gives every certificate another serial number of 127 random bits', async () => {
    const serials = await Promise.all(
      Array.from({ length: 50 }, async () => {
        return readCertificate(await issueSeal(issuing, spki, { ...names, at, hours: 24 })).serial
      }),
    )
    expect(new Set(serials).size).to.equal(50)
    for (const serial of serials) expect(serial).to.match(/^[4-7][0-9a-f]{31}$/)
  })

  // prettier-ignore
  const TIMES = [
    { name: 'UTCTime through 2049',         days: 1,    tag: 0x17 },
    { name: 'GeneralizedTime from 2050 on', days: 9000, tag: 0x18 },
  ]
  for (const { name, days, tag } of TIMES) {
    it(`writes ${name}`, async () => {
      const der = await createSelfSigned(keySigner(generateKey()), { at: later(0.0001), days })
      const text = readCertificate(der)
        .notAfter.toISOString()
        .replace(/[-:T]|\.000/g, '')
      const digits = tag === 0x17 ? text.slice(2) : text
      const field = Buffer.concat([Buffer.of(tag, digits.length), Buffer.from(digits)])
      expect(Buffer.from(der).includes(field)).to.equal(true)
    })
  }

  it('ends no certificate after its issuer', async () => {
    const der = await issueTimestampAuthority(issuing, spki, {
      ...names,
      at: later(24),
      days: 9000,
    })
    expect(readCertificate(der).notAfter).to.deep.equal(
      readCertificate(authority.issuing.certificateDer).notAfter,
    )
  })

  it('names the self-made authority as such', () => {
    const { subject, issuer, development } = readCertificate(authority.issuing.certificateDer)
    expect(subject).to.match(/^CN=Sealgate development issuing [0-9a-f]{6}, O=Sealgate development/)
    expect(issuer).to.match(/not a licensed CA, C=CN$/)
    expect(development).to.equal(true)
  })
})

describe('PEM', () => {
  it('reads what it writes', () => {
    const text = `a remark\n${toPem('CERTIFICATE', seal)}${toPem('CERTIFICATE', tsa)}`
    expect(readPem(text).map((der) => Buffer.from(der))).to.deep.equal([
      Buffer.from(seal),
      Buffer.from(tsa),
    ])
  })

  // prettier-ignore
  const REJECT = [
    { name: 'a block that is not closed', text: '-----BEGIN CERTIFICATE-----\nAAAA\n' },
    { name: 'an empty block',             text: '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n' },
    { name: 'stray trailing bits',        text: '-----BEGIN CERTIFICATE-----\nAAB=\n-----END CERTIFICATE-----\n' },
    { name: 'a character beyond base64',  text: '-----BEGIN CERTIFICATE-----\nAA-A\n-----END CERTIFICATE-----\n' },
    { name: 'a cut quantum',              text: '-----BEGIN CERTIFICATE-----\nAAAAA\n-----END CERTIFICATE-----\n' },
  ]
  for (const { name, text } of REJECT) {
    it(`rejects ${name}`, () => {
      expect(() => readPem(text)).to.throw(/`CERTIFICATE` block 1 is not canonical PEM/)
    })
  }
})

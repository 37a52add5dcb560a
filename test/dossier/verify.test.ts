import { expect } from 'chai'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../../base/problem.ts'
import { assemble } from '../../evidence/dossier/assemble.ts'
import { readStatement } from '../../evidence/dossier/catalogue.ts'
import { discloseIn, exportDossier } from '../../evidence/dossier/export.ts'
import { type Parts, readParts } from '../../evidence/dossier/parts.ts'
import { createDossierVerifier, type DossierVerification } from '../../evidence/dossier/verify.ts'
import { type Files, readZip, writeZip } from '../../evidence/dossier/zip.ts'
import { createAuthority } from '../../evidence/x509-issue.ts'
import { type Case, CLAIMS, makeCase } from './maker.ts'

const OPEN = [
  { name: 'f:$.name', value: '测试' },
  { name: 'f:$.amount', value: '1.10' },
]

describe('a dossier', () => {
  let folder: string
  let it0: Case
  let zip: Uint8Array
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sealgate-dossier-'))
    it0 = await makeCase(folder)
    zip = await exported()
  })
  after(async () => {
    await it0.close()
    rmSync(folder, { recursive: true })
  })

  const exported = (complete = true, rids = it0.rids) =>
    exportDossier(it0.ports, {
      selection: { rids },
      queries: rids.map((rid) => ({ rid })),
      open: OPEN,
      complete,
    })
  const verify = (bytes: Uint8Array) => createDossierVerifier(it0.trust)(bytes)
  const failures = ({ checks }: DossierVerification) =>
    checks.filter(({ ok }) => !ok).map(({ name, subject }) => `${name} ${subject ?? ''}`.trim())
  /** As one does who knows the format: all derived files and digests fit again. */
  const forge = (change: (parts: Parts) => Partial<Parts>, complete?: boolean): Uint8Array => {
    const files = readZip(zip)
    const { parts } = readParts(files)
    const statement = readStatement(Buffer.from(files.get('catalogue.json') ?? []).toString())
    const stated = complete === undefined ? statement : { ...statement, complete }
    return writeZip(assemble({ ...parts, ...change(parts) }, stated))
  }
  const replace = (name: string, bytes: Uint8Array | string | undefined): Uint8Array => {
    const files: Map<string, Uint8Array> = new Map(readZip(zip) as Files)
    files.delete(name)
    if (bytes !== undefined) files.set(name, Buffer.from(bytes))
    return writeZip(files)
  }
  const flip = (bytes: Uint8Array, at = Math.floor(bytes.length / 2)) =>
    Buffer.from(bytes).fill((bytes[at] ?? 0) ^ 1, at, at + 1)
  const flipText = (text: string, at?: number) => flip(Buffer.from(text), at).toString()

  it('is the same bytes for the same state', async () => {
    expect(Buffer.from(await exported()).equals(zip)).to.equal(true)
  })

  it('is valid, and every check says what it compared', async () => {
    const { verdict, checks, records } = await verify(zip)
    expect(failures({ checks } as DossierVerification)).to.deep.equal([])
    expect({ verdict, records }).to.deep.equal({ verdict: 'valid', records: 4 })
    const names = new Set(checks.map(({ name }) => name))
    // prettier-ignore
    expect([...names]).to.include.members([
      'container', 'files', 'catalogue', 'record-form', 'payload-form', 'certificate', 'signature', 'leaf', 'inclusion',
      'checkpoint', 'timestamp', 'disclosure', 'erasure', 'consistency', 'revocation', 'policy', 'order', 'coverage',
    ])
    const opened = checks.flatMap(({ disclosed }) => disclosed ?? [])
    expect(opened).to.have.deep.members(CLAIMS.slice(0, 2))
  })

  it("is not anchored without the reader's own trust", async () => {
    const { verdict, checks } = await createDossierVerifier(undefined)(zip)
    expect(failures({ checks } as DossierVerification)).to.deep.equal([])
    expect(verdict).to.equal('not-anchored')
  })

  it('is not valid under another root', async () => {
    const { root } = await createAuthority(new Date())
    const roots = [root.certificateDer]
    const { verdict, checks } = await createDossierVerifier({ ...it0.trust, roots })(zip)
    expect(verdict).to.equal('invalid')
    expect(checks.some(({ name, ok }) => name === 'certificate' && !ok)).to.equal(true)
  })

  it('tells which records are not in it', async () => {
    const part = await exported(false, it0.rids.slice(0, 1).concat(it0.rids.slice(2, 3))).catch(
      (error: unknown) => error,
    )
    expect(part).to.be.instanceOf(Problem).with.property('message').that.matches(/no record of these commits/) // prettier-ignore
    const rids = it0.rids.slice(1, 2).concat(it0.rids.slice(3, 4))
    const { verdict, checks } = await verify(await exported(false, rids))
    expect(verdict).to.equal('valid')
    const order = checks.find(({ name }) => name === 'order')
    expect(order?.text).to.match(/records 2 to 4, .* others, not in this dossier: 3$/)
  })

  it('fills the holes when it is to be complete', async () => {
    const rids = it0.rids.slice(1, 2).concat(it0.rids.slice(3, 4))
    const { records, verdict } = await verify(await exported(true, rids))
    expect({ records, verdict }).to.deep.equal({ records: 3, verdict: 'valid' })
  })

  it('brings the erasure of a record along', async () => {
    const request = {
      selection: {},
      queries: [{ rid: it0.rids[2] ?? '' }],
      open: [],
      complete: false,
    }
    const { checks, verdict } = await verify(await exportDossier(it0.ports, request))
    expect(checks.find(({ name }) => name === 'erasure')).to.include({
      ok: true,
      indeterminate: true,
    })
    expect(verdict).to.equal('valid')
  })

  it('takes the disclosures that a custodian has, of this record alone', async () => {
    const files = readZip(zip)
    const [, relayed = '', erased = ''] = it0.rids
    const all = Buffer.from(files.get(`disclosures/${relayed}.txt`) ?? [])
      .toString()
      .trim()
      .split('\n')
    const bare = replaceDisclosures()
    const added = discloseIn(bare, relayed, all)
    expect(Buffer.from(added).equals(zip)).to.equal(true)
    expect(() => discloseIn(bare, erased, all)).to.throw(Problem, 'of another record')
  })
  const replaceDisclosures = () => forge(() => ({ disclosures: [] }))

  const other = 'aaaaaaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa'
  // prettier-ignore
  const REJECT: { name: string; zip: () => Uint8Array; want: string | RegExp }[] = [
    { name: 'a changed record',                    zip: () => forge(({ records: [a, ...rest] }) => ({ records: [{ rid: a?.rid ?? '', text: flipText(a?.text ?? '', 300) }, ...rest] })), want: /^(signature|record-form|leaf)/ },
    { name: 'a record left out of a complete one', zip: () => forge(({ records: [a, , ...rest] }) => ({ records: a ? [a, ...rest] : [] })), want: 'order' },
    { name: 'a record under another name',         zip: () => forge(({ records: [a, b, ...rest] }) => ({ records: a && b ? [{ ...a, text: b.text }, b, ...rest] : [] })), want: 'leaf' },
    { name: 'a record twice',                      zip: () => forge(({ records: [a, ...rest] }) => ({ records: a ? [a, { ...a, rid: other }, ...rest] : [] })), want: 'leaf' },
    { name: 'no records',                          zip: () => forge(() => ({ records: [] })), want: 'files' },
    { name: 'another leaf',                        zip: () => forge(({ leaves: [a, b, ...rest] }) => ({ leaves: a && b ? [{ ...a, text: b.text }, b, ...rest] : [] })), want: 'leaf' },
    { name: 'no leaf',                             zip: () => forge(({ leaves }) => ({ leaves: leaves.slice(1) })), want: 'leaf' },
    { name: 'a leaf of no record',                 zip: () => forge(({ leaves: [a, ...rest] }) => ({ leaves: a ? [a, { ...a, rid: other }, ...rest] : [] })), want: `coverage leaves/${other}.txt` },
    { name: 'the proof of another record',         zip: () => forge(({ proofs: [a, b, ...rest] }) => ({ proofs: a && b ? [{ ...a, text: b.text }, b, ...rest] : [] })), want: 'inclusion' },
    { name: 'no proof',                            zip: () => forge(() => ({ proofs: [] })), want: 'inclusion' },
    { name: 'a proof with another checkpoint',     zip: () => forge(({ proofs, checkpoints: [a] }) => ({ proofs: proofs.map((p) => p.checkpoint.startsWith('14-') ? { ...p, checkpoint: a?.id.startsWith('7-') ? a.id : '7-15de82ba' } : p) })), want: 'inclusion' },
    { name: 'a changed checkpoint',                zip: () => forge(({ checkpoints: [a, ...rest] }) => ({ checkpoints: a ? [{ ...a, text: flipText(a.text, 20) }, ...rest] : [] })), want: /^(checkpoint|inclusion|coverage)/ },
    { name: 'no consistency proof',                zip: () => forge(() => ({ consistency: [] })), want: 'consistency' },
    { name: 'a changed consistency proof',         zip: () => forge(({ consistency: [a] }) => ({ consistency: a ? [{ ...a, text: a.text.replace(/\n./, '\nA') }] : [] })), want: 'consistency' },
    { name: 'a changed time stamp',                zip: () => forge(({ timestamps: [a, ...rest] }) => ({ timestamps: a ? [{ ...a, bytes: flip(a.bytes, a.bytes.length - 3) }, ...rest] : [] })), want: 'timestamp' },
    { name: 'a time stamp of another checkpoint',  zip: () => forge(({ timestamps: [a, b] }) => ({ timestamps: a && b ? [{ ...a, bytes: b.bytes }, b] : [] })), want: 'timestamp' },
    { name: 'a renewal that is none',              zip: () => forge(({ timestamps: [a] }) => ({ renewals: a ? [a] : [] })), want: 'renewal' },
    { name: 'a renewal of no time stamp',          zip: () => forge(({ timestamps: [a] }) => ({ renewals: a ? [{ ...a, number: 7 }] : [] })), want: 'coverage' },
    { name: 'no certificate',                      zip: () => forge(() => ({ certificates: [] })), want: 'certificate' },
    { name: 'a certificate that is not used',      zip: () => forge(({ certificates, roots: [a] }) => ({ certificates: certificates.map((c) => c === a ? c : c).concat(a ? [flip(a, a.length - 3)] : []) })), want: /^(coverage|certificate)/ },
    { name: 'a root that is not used',             zip: () => forge(({ certificates: [a, b], roots }) => ({ roots: [...roots, a ?? new Uint8Array(), b ?? new Uint8Array()] })), want: /^coverage timestamp-roots/ },
    { name: 'a changed revocation list',           zip: () => forge(({ revocation: [a, ...rest] }) => ({ revocation: a ? [flip(a, 60), ...rest] : [] })), want: 'revocation' },
    { name: 'one revocation list of two',          zip: () => forge(({ revocation }) => ({ revocation: revocation.slice(1) })), want: 'certificate' },
    { name: 'a policy that no record names',       zip: () => forge(() => ({ policies: [Buffer.from('policy: other\n')] })), want: 'coverage' },
    { name: 'a key of the log that is not known',  zip: () => forge(({ keys }) => ({ keys: [...keys, 'log.test/evr+6a7f6121+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'] })), want: /^(coverage|files)/ },
    { name: 'a disclosure of another record',      zip: () => forge(({ disclosures: [a], records: [b] }) => ({ disclosures: a && b ? [{ ...a, rid: b.rid }] : [] })), want: 'disclosure' },
    { name: 'an unknown file',                     zip: () => replace('readme.txt', 'x'),                    want: 'files readme.txt' },
    { name: 'a policy under another digest',       zip: () => replace(`policies/${'0'.repeat(64)}.yaml`, 'x'), want: `files policies/${'0'.repeat(64)}.yaml` },
    { name: 'another VERIFY.md',                   zip: () => replace('VERIFY.md', 'rm -rf /\n'),            want: 'catalogue VERIFY.md' },
    { name: 'no VERIFY.md',                        zip: () => replace('VERIFY.md', undefined),               want: 'catalogue VERIFY.md' },
    { name: 'another sum',                         zip: () => replace('SHA256SUMS', 'x'),                    want: 'catalogue SHA256SUMS' },
    { name: 'a catalogue of another format',       zip: () => replace('catalogue.json', '{"format":"x"}'),   want: 'catalogue catalogue.json' },
    { name: 'no catalogue',                        zip: () => replace('catalogue.json', undefined),          want: 'catalogue catalogue.json' },
    { name: 'a catalogue that says to be complete', zip: () => forge(({ records: [a, , , d] }) => ({ records: a && d ? [a, d] : [] }), true), want: 'order' },
  ]
  for (const { name, zip: make, want } of REJECT) {
    it(`is not valid with ${name}`, async () => {
      const result = await verify(make())
      expect(result.verdict).to.equal('invalid')
      const found = failures(result)
      const fits = (text: string) =>
        typeof want === 'string' ? text === want || text.startsWith(`${want} `) : want.test(text)
      expect(found.some(fits), found.join('; ')).to.equal(true)
    })
  }

  it('is unusable when it is no zip of a dossier, and says so at once', async () => {
    const { verdict, checks } = await verify(Buffer.from('PK\x03\x04 no zip'))
    expect(verdict).to.equal('unusable')
    expect(checks.map(({ name, ok }) => ({ name, ok }))).to.deep.equal([
      { name: 'container', ok: false },
    ])
  })
})

import { expect } from 'chai'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { discloseIn, exportDossier } from '../../evidence/dossier/export.ts'
import { createDossierVerifier, type DossierVerification } from '../../evidence/dossier/verify.ts'
import { readZip } from '../../evidence/dossier/zip.ts'
import type { Store } from '../../evidence/log/store.ts'
import { createAuthority } from '../../evidence/x509-issue.ts'
import { renewDue } from '../../workers/renewal.ts'
import { forge, FORGERIES } from './forgeries.ts'
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

  it('holds a case that is larger than a bundle of the log', async () => {
    const more = mkdtempSync(join(tmpdir(), 'sealgate-dossier-'))
    const large = await makeCase(more, { exchanges: 300 })
    const request = { selection: { case: large.rids[1] ?? '' }, queries: [{ case: large.rids[1] ?? '' }], open: [], complete: false } // prettier-ignore
    const made = await exportDossier(large.ports, request)
    await large.close()
    rmSync(more, { recursive: true })
    const { verdict, records, checks } = await createDossierVerifier(large.trust)(made)
    expect({ verdict, records }).to.deep.equal({ verdict: 'valid', records: 302 })
    expect(checks.filter(({ name }) => name === 'timestamp')).to.have.length(304)
  })

  it('holds the renewal of a time stamp, and notices a changed one', async () => {
    const more = mkdtempSync(join(tmpdir(), 'sealgate-dossier-'))
    const renewed = await makeCase(more, { others: 1 })
    const { store, source } = renewed
    const sunsets = new Map([['SHA-256', new Date(Date.now() + 86_400_000)]])
    const { renewed: count } = await renewDue({
      store: asBytes(store),
      source,
      clock: systemClock,
      sunsets,
    })
    expect(count).to.equal(2)
    const request = {
      selection: {},
      queries: [{ rid: renewed.rids[1] ?? '' }],
      open: [],
      complete: false,
    }
    const good = await exportDossier(renewed.ports, request)
    await renewed.close()
    rmSync(more, { recursive: true })
    const check = createDossierVerifier(renewed.trust)
    const { verdict, checks } = await check(good)
    expect(failures({ checks } as DossierVerification)).to.deep.equal([])
    expect(verdict).to.equal('valid')
    expect(checks.filter(({ name }) => name === 'renewal').map(({ text }) => text)[0]).to.match(/was renewed while it was good; existed by 20/) // prettier-ignore
    const late = createDossierVerifier(renewed.trust, () => Date.now() + 40 * 365 * 86_400_000)
    expect((await late(good)).checks.some(({ name, ok }) => name === 'renewal' && !ok)).to.equal(
      true,
    )
    const bad = forge(good, ({ renewals: [a, ...rest] }) => ({ renewals: a ? [{ ...a, bytes: Buffer.from(a.bytes).fill(0, a.bytes.length - 4) }, ...rest] : [] })) // prettier-ignore
    expect(failures(await check(bad)).map((text) => text.split(' ')[0])).to.deep.equal(['renewal'])
  })

  it('takes the disclosures that a custodian has, of this record alone', async () => {
    const files = readZip(zip)
    const [, relayed = '', erased = ''] = it0.rids
    const all = Buffer.from(files.get(`disclosures/${relayed}.txt`) ?? [])
      .toString()
      .trim()
      .split('\n')
    const bare = forge(zip, () => ({ disclosures: [] }))
    const added = discloseIn(bare, relayed, all)
    expect(Buffer.from(added).equals(zip)).to.equal(true)
    expect(() => discloseIn(bare, erased, all)).to.throw(Problem, 'of another record')
  })
  for (const { name, make, want } of FORGERIES) {
    it(`is not valid with ${name}`, async () => {
      const result = await verify(make(zip))
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

/** A log's store as the renewal takes it. */
function asBytes(store: Store) {
  return { ...store, put: (key: string, bytes: Uint8Array) => store.put(key, Buffer.from(bytes)) }
}

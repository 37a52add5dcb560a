import { expect } from 'chai'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { exportDossier } from '../../evidence/dossier/export.ts'
import { createDossierVerifier, type DossierVerification } from '../../evidence/dossier/verify.ts'
import { readParts } from '../../evidence/dossier/parts.ts'
import { readZip } from '../../evidence/dossier/zip.ts'
import { revocationKey } from '../../evidence/timestamp/stamps.ts'
import { forge } from './forgeries.ts'
import { type Case, makeCase } from './maker.ts'
import { createOutside, type Outside } from './outside.ts'

const HOUR_MS = 3_600_000

describe('the revocation lists of a dossier', () => {
  let folder: string
  let it0: Case
  let outside: Outside
  let zip: Uint8Array
  const from = (hours: number) => new Date(Date.now() + hours * HOUR_MS)

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sealgate-dossier-'))
    outside = await createOutside(systemClock)
    it0 = await makeCase(folder, { others: 1, by: outside.source })
    zip = await exported()
  })
  afterEach(async () => {
    await it0.close()
    rmSync(folder, { recursive: true })
  })

  const exported = () => {
    const rids = it0.rids.slice(0, 2)
    const queries = rids.map((rid) => ({ rid }))
    return exportDossier(it0.ports, { selection: { rids }, queries, open: [], complete: false })
  }
  const keep = async (list: Uint8Array) => {
    await it0.store.put(revocationKey(list), Buffer.from(list))
    return list
  }
  const verify = (bytes: Uint8Array, own?: readonly Uint8Array[]) =>
    createDossierVerifier({ ...it0.trust, ...(own && { revocationLists: own }) })(bytes)
  const failures = ({ checks }: DossierVerification) =>
    checks.filter(({ ok }) => !ok).map(({ name, text }) => `${name}: ${text}`)
  const told = ({ checks }: DossierVerification, wanted: string) =>
    checks.filter(({ name }) => name === wanted).map(({ text }) => text)
  const lists = (bytes: Uint8Array) =>
    [...readZip(bytes).keys()].filter((name) => name.startsWith('revocation/'))
  const isOfSeals = (der: Uint8Array) =>
    it0.ports.revocationLists.some((each) => Buffer.from(each).equals(der))
  const keepOnly = (wanted: (der: Uint8Array) => boolean) =>
    forge(zip, ({ revocation }) => ({ revocation: revocation.filter(wanted) }))

  it('are those by which its time stamps were judged, beside those of the seals', async () => {
    expect(lists(zip)).to.have.length(4)
    const result = await verify(zip)
    expect(failures(result)).to.deep.equal([])
    expect(told(result, 'timestamp')).to.satisfy((texts: string[]) =>
      texts.every((text) => text.endsWith('; by the lists not revoked')),
    )
    expect(told(result, 'revocation')).to.have.length(4)
    const { revocation } = JSON.parse(
      Buffer.from(readZip(zip).get('catalogue.json') ?? []).toString(),
    ) as { revocation: { file: string; revoked: number }[] }
    expect(revocation.map(({ file }) => file)).to.have.members(lists(zip))
    expect(revocation[0]).to.have.keys('file', 'thisUpdate', 'nextUpdate', 'revoked')
  })

  it('are the newest too, and not those of others', async () => {
    await keep(await outside.list(from(-0.5)))
    await keep(await outside.list(from(0.5)))
    await keep(await (await createOutside(systemClock)).list(from(-0.5)))
    const more = await exported()
    // Of the two lists at hand at the time of the stamps the newer one, and the one made since.
    expect(lists(more)).to.have.length(5)
    expect(failures(await verify(more))).to.deep.equal([])
  })

  it('prove that the authority was revoked before, in a list that came later', async () => {
    await keep(await outside.list(from(1), from(-2)))
    const texts = failures(await verify(await exported()))
    expect(texts).to.not.deep.equal([])
    for (const text of texts)
      expect(text).to.match(/^timestamp: .*`CN=Outside TSA.* was revoked at/)
  })

  it('let a time stamp pass that was made before the authority was revoked', async () => {
    await keep(await outside.list(from(2), from(1)))
    const later = await exported()
    expect(lists(later)).to.have.length(5)
    expect(failures(await verify(later))).to.deep.equal([])
  })

  it("are joined with the reader's own", async () => {
    const own = [...it0.ports.revocationLists, await outside.list(from(-0.5), from(-1))]
    const texts = failures(await verify(zip, own))
    expect(texts[0]).to.match(/^timestamp: .*was revoked at/)
  })

  it('are told to be missing where none is', async () => {
    const result = await verify(keepOnly(isOfSeals))
    expect(failures(result)).to.deep.equal([])
    expect(told(result, 'timestamp')[0]).to.match(/; no revocation list tells of it$/)
  })

  it('must be whole where one is', async () => {
    const others = readParts(readZip(zip)).parts.revocation.filter((der) => !isOfSeals(der))
    expect(others).to.have.length(2)
    for (const gone of others) {
      const texts = failures(await verify(keepOnly((der) => !Buffer.from(der).equals(gone))))
      expect(texts[0]).to.match(/^timestamp: .*no revocation list for/)
    }
  })

  it('of time stamps say nothing of seals', async () => {
    const result = await verify(keepOnly((der) => !isOfSeals(der)))
    expect(failures(result)).to.deep.equal([])
    expect(told(result, 'certificate')[0]).to.match(/leads to a trusted root$/)
  })
})

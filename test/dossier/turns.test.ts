import { expect } from 'chai'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { exportDossier } from '../../evidence/dossier/export.ts'
import { createFindings } from '../../evidence/dossier/findings.ts'
import { type Parts, readParts } from '../../evidence/dossier/parts.ts'
import { createDossierVerifier } from '../../evidence/dossier/verify.ts'
import { checkLog } from '../../evidence/dossier/verify-log.ts'
import { readZip } from '../../evidence/dossier/zip.ts'
import { forge } from './forgeries.ts'
import { type Case, makeCase } from './maker.ts'

/** After so many half-years; the logs of a case begin in 2026h2 at the earliest. */
const halfYearsOn = (halfYears: number) => ({
  ...systemClock,
  wallUs: () => systemClock.wallUs() + BigInt(halfYears) * 184n * 86_400_000_000n,
})

describe('a dossier of several logs', () => {
  let folder: string
  let it0: Case
  let zip: Uint8Array
  let turns: string[]

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sealgate-dossier-'))
    it0 = await makeCase(folder, { others: 2, stamps: 1, later: [halfYearsOn(1), halfYearsOn(2)] })
    const rids = [it0.rids[1] ?? '', it0.rids.at(-1) ?? '']
    const queries = rids.map((rid) => ({ rid }))
    zip = await exportDossier(it0.ports, { selection: {}, queries, open: [], complete: false })
    turns = partsOf(zip).leaves.flatMap(({ rid, text }) => (text.includes(' turn ') ? [rid] : []))
  })
  after(async () => {
    await it0.close()
    rmSync(folder, { recursive: true })
  })

  const partsOf = (bytes: Uint8Array): Parts => readParts(readZip(bytes)).parts
  const verify = async (bytes: Uint8Array) => {
    const { verdict, checks } = await createDossierVerifier(it0.trust)(bytes)
    const failed = checks.filter(({ ok }) => !ok).map(({ name, text }) => `${name}: ${text}`)
    return { verdict, failed, checks }
  }

  it('is valid and holds the link of each log to the one before, also of one between', async () => {
    const { verdict, failed, checks } = await verify(zip)
    expect(failed).to.deep.equal([])
    expect(verdict).to.equal('valid')
    expect(turns).to.have.length(2)
    const links = checks.filter(({ text }) => / follows log .* fixes the end of \d+ records$/.test(text)) // prettier-ignore
    expect(links.map(({ name }) => name)).to.deep.equal(['consistency', 'consistency'])
  })

  it('is not valid without one of the links', async () => {
    for (const gone of turns) {
      const { failed } = await verify(
        forge(zip, ({ leaves, proofs }) => ({
          leaves: leaves.filter(({ rid }) => rid !== gone),
          proofs: proofs.filter(({ rid }) => rid !== gone),
        })),
      )
      expect(failed.some((text) => text.startsWith('consistency: nothing shows that log'))).to.equal(true) // prettier-ignore
    }
  })

  it('is not valid with a link that is proven by nothing, or fixes nothing that is here', async () => {
    const [first = ''] = turns
    const bare = await verify(forge(zip, ({ proofs }) => ({ proofs: proofs.filter(({ rid }) => rid !== first) }))) // prettier-ignore
    expect(bare.failed).to.include('consistency: it does not show which log follows which')
    const fixed = partsOf(zip).checkpoints.filter(({ text }) => text.includes('h2\n'))
    expect(fixed).to.not.deep.equal([])
    const other = await verify(forge(zip, ({ leaves }) => ({ leaves: leaves.map((leaf) => leaf.rid === first ? { ...leaf, text: leaf.text.replace(/(.{4})\n$/, 'AAAA\n') } : leaf) }))) // prettier-ignore
    expect(other.failed).to.include('consistency: it does not show which log follows which')
  })

  it('notices every flipped bit of a link', () => {
    const all = partsOf(zip)
    const parts = { ...all, proofs: all.proofs.filter(({ rid }) => turns.includes(rid)) }
    const flip = (text: string, bit: number) => {
      const bytes = Buffer.from(text)
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      return bytes.toString()
    }
    const notices = (changed: Partial<Parts>, name: string): boolean => {
      const findings = createFindings()
      checkLog({ ...parts, ...changed }, findings, it0.trust)
      return findings.checks.some(({ ok }) => !ok) || !findings.covered.has(name)
    }
    const missed: string[] = []
    for (const [index, leaf] of parts.leaves.entries()) {
      if (!turns.includes(leaf.rid)) continue
      for (let bit = 0; bit < leaf.text.length * 8; bit++) {
        const leaves = parts.leaves.with(index, { ...leaf, text: flip(leaf.text, bit) })
        if (!notices({ leaves }, `leaves/${leaf.rid}.txt`)) missed.push(`leaf ${index}, bit ${bit}`)
      }
    }
    for (const [index, proof] of parts.proofs.entries()) {
      const name = `proofs/${proof.checkpoint}/${proof.rid}.tlog-proof`
      for (let bit = 0; bit < Buffer.byteLength(proof.text) * 8; bit++) {
        const proofs = parts.proofs.with(index, { ...proof, text: flip(proof.text, bit) })
        if (!notices({ proofs }, name)) missed.push(`proof ${index}, bit ${bit}`)
      }
    }
    expect(missed).to.deep.equal([])
  })
})

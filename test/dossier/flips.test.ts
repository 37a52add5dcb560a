import { expect } from 'chai'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { createDossierVerifier } from '../../evidence/dossier/verify.ts'
import { exportDossier } from '../../evidence/dossier/export.ts'
import { readZip, writeZip } from '../../evidence/dossier/zip.ts'
import { formatTrust } from '../../evidence/verify-trust.ts'
import { flipConsistency, type Flipped } from './flips.ts'
import { type Case, makeCase } from './maker.ts'

const WORKERS = Math.min(4, availableParallelism())

describe('every single-bit flip of a dossier', function () {
  this.timeout(600_000)
  let folder: string
  let it0: Case
  let zip: Uint8Array
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sealgate-flips-'))
    it0 = await makeCase(folder, { others: 0, stamps: 1 })
    const rids = it0.rids.slice(1, 2)
    const queries = rids.map((rid) => ({ rid }))
    const open = [{ name: 'f:$.name', value: '测试' }]
    zip = await exportDossier(it0.ports, { selection: { rids }, queries, open, complete: true })
  })
  after(async () => {
    await it0.close()
    rmSync(folder, { recursive: true })
  })

  const run = async (kind: 'container' | 'files' | 'parts', bytes = zip): Promise<Flipped> => {
    const trust = formatTrust(it0.trust)
    const turns = Array.from({ length: WORKERS }, async (_, turn): Promise<Flipped> => {
      const share = { turn, workers: WORKERS }
      const worker = new Worker(new URL('./flips-worker.ts', import.meta.url), {
        workerData: { zip: bytes, trust, share, kind },
      })
      const [result] = (await once(worker, 'message')) as [Flipped]
      await worker.terminate()
      return result
    })
    const results = await Promise.all(turns)
    return {
      flips: results.reduce((sum, { flips }) => sum + flips, 0),
      survivors: results.flatMap(({ survivors }) => survivors),
    }
  }

  it('starts from a valid dossier', async () => {
    expect((await createDossierVerifier(it0.trust)(zip)).verdict).to.equal('valid')
    const folders = new Set([...readZip(zip).keys()].map((name) => name.split('/')[0]))
    // prettier-ignore
    expect([...folders]).to.have.members([
      'SHA256SUMS', 'VERIFY.md', 'catalogue.json', 'certificates', 'checkpoints', 'disclosures', 'keys',
      'leaves', 'policies', 'proofs', 'records', 'revocation', 'timestamp-roots', 'timestamps',
    ])
  })

  it('in the zip: refused by the container', async () => {
    // The container knows nothing of contents, and reads all of them for each bit: their first octets do.
    const heads = [...readZip(zip)].map(([name, bytes]) => [name, bytes.slice(0, 64)] as const)
    const short = writeZip(new Map(heads))
    const { flips, survivors } = await run('container', short)
    expect(flips).to.equal(short.length * 8)
    expect(survivors).to.deep.equal([])
  })

  it('in a file: noticed by the sums', async () => {
    const { flips, survivors } = await run('files')
    expect(flips).to.equal(
      [...readZip(zip).values()].reduce((sum, { length }) => sum + length, 0) * 8,
    )
    expect(survivors).to.deep.equal([])
  })

  it('in a file, with names, sums and catalogue made to fit: noticed by what is signed or proven', async () => {
    const { survivors } = await run('parts')
    const irrelevant = survivors.filter((text) => isInRootOfToken(text))
    expect(survivors.filter((text) => !irrelevant.includes(text))).to.deep.equal([])
    // Those bits are all there: a check that began to use them would make this list shorter.
    expect(irrelevant.length).to.be.greaterThan(0)
  })

  /**
   * Irrelevant: a token carries its authority's root along (RFC 3161 §2.4.2), which no signature of
   * it covers. Nothing is concluded from it: the path must end in a root of the reader, which the
   * dossier holds in `timestamp-roots/` too.
   */
  const isInRootOfToken = (text: string): boolean => {
    const [, name = '', bit = ''] = /^(timestamps\/.*), bit (\d+)$/.exec(text) ?? []
    const token = Buffer.from(readZip(zip).get(name) ?? [])
    const [root] = it0.ports.timestampRoots
    const start = root === undefined ? -1 : token.indexOf(root)
    const at = Math.floor(Number(bit) / 8)
    return start >= 0 && root !== undefined && at >= start && at < start + root.length
  }

  it('in a consistency proof: noticed by the log', async () => {
    const more = mkdtempSync(join(tmpdir(), 'sealgate-flips-'))
    const two = await makeCase(more, { others: 3 })
    const rids = two.rids.slice(1, 2)
    const zip2 = await exportDossier(two.ports, { selection: {}, queries: [{ rid: rids[0] ?? '' }], open: [], complete: true }) // prettier-ignore
    await two.close()
    rmSync(more, { recursive: true })
    const { flips, survivors } = flipConsistency(zip2, two.trust)
    expect(flips).to.be.greaterThan(20_000)
    expect(survivors).to.deep.equal([])
  })
})

import { expect } from 'chai'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../../base/problem.ts'
import { formatExported, parseExported } from '../../evidence/export-format.ts'
import { createExportVerifier } from '../../evidence/verify.ts'
import { type Evidence, makeEvidence } from './evidence.ts'

describe('every single-bit flip of an exported record', () => {
  let data: string
  let evidence: Evidence
  before(async () => {
    data = mkdtempSync(join(tmpdir(), 'sealgate-flips-'))
    evidence = await makeEvidence(data)
    await evidence.ports.index.close()
  })
  after(() => rmSync(data, { recursive: true }))

  it('are all detected, or change nothing that is verified', async function () {
    this.timeout(600_000)
    const verify = createExportVerifier(evidence.trust)
    const text = formatExported(evidence.exported)
    const bytes = Buffer.from(text)
    const accepted: string[] = []
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const at = Math.floor(bit / 8)
      const flipped = bytes.with(at, bytes.readUInt8(at) ^ (1 << (bit % 8)))
      const changed = Buffer.from(flipped).toString()
      try {
        const exported = parseExported(changed)
        const { verdict } = await verify(exported)
        // Irrelevant: white space of the JSON; keys and the root that came along, since the trust
        // file's are used instead.
        const used = { ...exported, logKeys: [], certificates: exported.certificates.slice(0, -1) }
        const sound = { ...evidence.exported, logKeys: [], certificates: evidence.exported.certificates.slice(0, -1) } // prettier-ignore
        if (verdict === 'valid' && formatExported(used) !== formatExported(sound)) {
          accepted.push(`bit ${bit % 8} of byte ${at}`)
        }
      } catch (error) {
        expect(error).to.be.instanceOf(Problem).with.property('slug', 'request-malformed')
      }
    }
    expect(accepted).to.deep.equal([])
  })
})

import { expect } from 'chai'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { toPem } from '../../evidence/pem.ts'
import { requestTimestamp } from '../../evidence/timestamp/client.ts'
import { openTimestampSources } from '../../evidence/timestamp/sources.ts'
import { createAuthority } from '../../evidence/x509-issue.ts'

describe('the authorities of the configuration', () => {
  let folder: string
  const open = (...entries: string[]) =>
    openTimestampSources(
      entries.map((url) => ({ url })),
      {
        keys: join(folder, 'keys'),
        trust: join(folder, 'trust'),
        organization: '某某征信有限公司',
        clock: systemClock,
      },
    )
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sealgate-sources-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('opens the embedded authority, which keeps its identity', async () => {
    const data = Buffer.from('data')
    const stamp = async () => {
      const [source] = await open('embedded')
      if (source === undefined) throw new Error('no source')
      return (await requestTimestamp(source, data, systemClock)).result
    }
    const [first, second] = [await stamp(), await stamp()]
    expect(first.valid).to.equal(true)
    expect(second.chain).to.deep.equal(first.chain)
  })

  it('names outside authorities by host and path, and trusts the folder', async () => {
    const { root } = await createAuthority(new Date())
    mkdirSync(join(folder, 'trust'))
    writeFileSync(join(folder, 'trust', 'a.pem'), toPem('CERTIFICATE', root.certificateDer))
    const [source] = await open('https://TSA.example:8443/v1/Stamp/')
    expect(source?.name).to.equal('tsa.example-8443-v1-stamp')
    expect(source?.roots.map((der) => Buffer.from(der))).to.deep.equal([
      Buffer.from(root.certificateDer),
    ])
  })

  // prettier-ignore
  const REJECT = [
    { name: 'an outside authority without a trust anchor', entries: ['https://tsa.example'], want: /trust: no trust anchor; put the root certificate of https:\/\/tsa\.example there/ },
    { name: 'an authority twice',                          entries: ['embedded', 'embedded'], want: /two time stamping authorities are `embedded`/ },
  ]
  for (const { name, entries, want } of REJECT) {
    it(`rejects ${name}`, async () => {
      const error = await open(...entries).then(
        () => undefined,
        (thrown: Error) => thrown,
      )
      expect(error).to.have.property('slug', 'key-unusable')
      expect(error?.message).to.match(want)
    })
  }
})

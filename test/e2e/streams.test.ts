import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Gateway } from '../../gateway/serve.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { row, rows, rowsPolicy, startSending, startTaker, type Taker } from '../support/long.ts'
import { findRecord } from '../support/records.ts'

const LIMITS = { BODY_BYTES_MAX: 4096, STREAM_IDLE_TIMEOUT_MS: 800, RECIPIENT_TIMEOUT_MS: 1500 }

describe('bodies that are relayed while they come', () => {
  let taker: Taker
  let installation: Installation
  let gateway: Gateway

  before(async () => {
    taker = await startTaker()
    installation = await createInstallation(taker.url)
    installation.addPolicy('rows.yaml', rowsPolicy())
    gateway = await installation.start({ limits: LIMITS })
  })
  after(async () => {
    await gateway.close()
    await taker.close()
    installation.remove()
  })
  beforeEach(() => {
    taker.taken.length = 0
  })

  async function send(headers: Readonly<Record<string, string>> = {}) {
    const authorization = `Bearer ${await installation.platform.jwt('harbour-bank')}`
    return startSending(`${gateway.relayUrl}/harbour-bank/rows`, { authorization, ...headers })
  }
  const recordOf = (rid: unknown) => findRecord(installation.config(), rid)

  it('rewrites each row, signs a trailer, and seals the rows', async () => {
    const sending = await send()
    for (let i = 0; i < 40; i++) await sending.write(rows(50, i * 50))
    sending.end()
    const answer = await sending.answer()
    expect(answer.status, answer.body.toString()).to.equal(200)
    const [taken] = taker.taken
    expect(taken?.whole).to.equal(true)
    const text = taken?.body.toString() ?? ''
    const lines = text.trimEnd().split('\n')
    expect(lines).to.have.length(2000)
    expect(JSON.parse(lines[1999] ?? '')).to.include({ loan: 'L-1999', note: 'ordinary' })
    expect(text).to.not.include('13800138000').and.not.include('王小明')
    const digest = createHash('sha256').update(text).digest('base64')
    expect(taken?.trailers['content-digest']).to.equal(`sha-256=:${digest}:`)
    expect(taken?.trailers['signature-input']).to.match(/"content-digest";tr/)
    const record = await recordOf(answer.headers['evidence-id'])
    expect(record).to.include({ kind: 'exchange', outcome: 'answered', status: 200 })
    expect(record['request']).to.deep.include({ streamed: true, mediaType: 'application/x-ndjson' })
    expect(record['request']).to.have.nested.property('rows.count', 2000)
    expect(record['request']).to.not.have.property('void')
    expect(readdirSync(join(installation.folder, 'data/spool'))).to.deep.equal([])
    expect(row(1)).to.include('13800138000')
  })
})

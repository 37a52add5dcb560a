import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { row, rows, rowsPolicy, startTaker } from '../support/long.ts'
import { useRelay } from '../support/relay.ts'

const LIMITS = { BODY_BYTES_MAX: 4096, SPOOL_BYTES_MAX: 1_000_000, STREAM_IDLE_TIMEOUT_MS: 600 }

describe('long requests that a policy holds back', () => {
  const relay = useRelay(startTaker)

  before(async () => {
    relay.installation.addPolicy('rows.yaml', rowsPolicy('buffered: true'))
    await relay.start({ limits: LIMITS })
  })

  async function send(text: string, path = 'rows', type = 'application/x-ndjson') {
    const sending = await relay.sendLong({ 'content-type': type }, path)
    for (let at = 0; at < text.length; at += 10_000) {
      await sending.write(text.slice(at, at + 10_000))
      const names = readdirSync(relay.inFolder('data/spool'))
      expect(names, 'a spool file has no name').to.deep.equal([])
    }
    sending.end()
    const answer = await sending.answer()
    return { answer, record: await relay.recordOf(answer.headers['evidence-id']) }
  }

  it('sends length and digest ahead, and seals all that is known before the first byte', async () => {
    const { answer, record } = await send(rows(2000))
    expect(answer.status, answer.body.toString()).to.equal(200)
    const [taken] = relay.recipient.taken
    const text = taken?.body ?? Buffer.alloc(0)
    const digest = createHash('sha256').update(text).digest('base64')
    expect(taken?.headers['content-length']).to.equal(String(text.length))
    expect(taken?.headers['content-digest']).to.equal(`sha-256=:${digest}:`)
    expect(taken?.headers['signature-input']).to.match(/"content-digest"\)/)
    expect(taken?.trailers).to.deep.equal({})
    expect(record['request']).to.include({ forwardedLength: text.length, unnamed: 2000 })
    expect(record['request']).to.have.nested.property('rows.count', 2000)
    expect(record['request']).to.not.have.property('streamed')
  })

  // prettier-ignore
  const REFUSED: { name: string; text: string; status: number; slug: string }[] = [
    { name: 'a leak in the last row',  text: rows(2000) + row(2000, 'call 13900139000'), status: 422, slug: 'leak-detected' },
    { name: 'a malformed last row',    text: `${rows(2000)}{`,                           status: 422, slug: 'row-invalid' },
    { name: 'more than there is room', text: rows(40_000),                               status: 503, slug: 'overloaded' },
  ]
  for (const { name, text, status, slug } of REFUSED) {
    it(`lets nothing out for ${name}`, async () => {
      const { answer, record } = await send(text)
      expect(answer.status, answer.body.toString()).to.equal(status)
      expect(answer.body.toString()).to.include(`/problems/${slug}`).and.not.include('released')
      expect(relay.recipient.taken).to.deep.equal([])
      expect(record).to.include({ kind: 'refusal', problem: slug, status })
    })
  }

  it('gives the space back', async () => {
    for (let i = 0; i < 4; i++) expect((await send(rows(4000))).answer.status).to.equal(200)
  })

  it('holds a body back where consent must be read from it', async () => {
    const consent = '{"recipient":"harbour-bank"}'
    const long = `{"note":"${'x'.repeat(20_000)}","consent":${consent}}`
    const { answer, record } = await send(long, 'credit/applications', 'application/json')
    expect(answer.status).to.equal(403)
    expect(answer.body.toString()).to.include('consent-missing')
    expect(relay.recipient.taken).to.deep.equal([])
    expect(record).to.include({ kind: 'refusal', problem: 'consent-missing' })
  })
})

describe('where bodies must be short', () => {
  const relay = useRelay(startTaker)

  it('says so, before it reads them', async () => {
    const kept = rowsPolicy().replace('/rows', '/kept').replace('policy: rows', 'policy: kept')
    relay.installation.addPolicy('kept.yaml', kept.replace('method: POST', 'method: DELETE'))
    await relay.start({ limits: LIMITS })
    const sending = await relay.sendLong({ 'content-length': '10000' }, 'kept', 'DELETE')
    await sending.write(rows(10))
    const answer = await sending.answer()
    expect(answer.status).to.equal(413)
    expect(answer.body.toString()).to.include(
      'expected at most 4096 bytes with method DELETE: send more with POST, PUT or PATCH',
    )
    sending.request.destroy()
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { openCommitmentKey } from '../../evidence/commitment-key.ts'
import { derivedSecrets, openClaim } from '../../evidence/commitment.ts'
import { row, rows, rowsPolicy, startTaker } from '../support/long.ts'
import { checkLog, type Payload, readRecords } from '../support/records.ts'
import { useRelay } from '../support/relay.ts'
import { beginAt, offsetOf, partFields, resume } from '../support/uploads.ts'

const LIMITS = { BODY_BYTES_MAX: 4096, STREAM_IDLE_TIMEOUT_MS: 2000 }
const ROWS = '/harbour-bank/rows'
const BODY = Buffer.from(rows(3000))

describe('resumable uploads', () => {
  // Before that of the relay, which removes the log.
  after(async () => {
    await relay.stop()
    await checkLog(relay.installation.config())
  })
  const relay = useRelay(startTaker)
  const send = relay.sendPart

  before(async () => {
    relay.installation.addPolicy('rows.yaml', rowsPolicy())
    const held = rowsPolicy('buffered: true').replace('/rows', '/held')
    relay.installation.addPolicy('held.yaml', held.replace('policy: rows', 'policy: held'))
    await relay.start({ limits: LIMITS })
  })

  const isCommitted = ({ rid, ...record }: Payload, name: string, bytes: Buffer) => {
    const key = openCommitmentKey(relay.inFolder('data/keys/commitment.key'))
    const digest = createHash('sha256').update(bytes).digest('base64url')
    const secret = derivedSecrets(key).secretOf(rid)
    return openClaim(secret, record['_sd'] as string[], name, `"${digest}"`) !== undefined
  }

  /** What an upload in one piece leaves with the recipient. */
  async function unbroken(path: string, body: Buffer): Promise<Buffer> {
    const headers = { 'content-type': 'application/x-ndjson' }
    const { answer } = await send({ method: 'POST', path, headers, body })
    expect(answer?.status).to.equal(200)
    const [taken] = relay.recipient.taken.splice(0)
    return taken?.body ?? Buffer.alloc(0)
  }

  for (const path of [ROWS, '/harbour-bank/held']) {
    it(`broken anywhere and gone on with, is what it is in one piece: ${path}`, async () => {
      const want = await unbroken(path, BODY)
      const at = fc.integer({ min: 0, max: BODY.length })
      const sealed: { rid: unknown; most: number }[] = []
      await fc.assert(
        fc.asyncProperty(fc.array(at, { maxLength: 5 }), async (breaks) => {
          relay.recipient.taken.length = 0
          const upload = await beginAt(send, path)
          const answer = await resume(send, upload, BODY, breaks)
          expect(answer.status, answer.body).to.equal(200)
          expect(answer.headers['upload-complete']).to.equal('?1')
          expect(relay.recipient.taken).to.have.length(1)
          expect(relay.recipient.taken[0]?.body.equals(want)).to.equal(true)
          sealed.push({ rid: answer.headers['evidence-id'], most: breaks.length + 1 })
        }),
        { numRuns: 15 },
      )
      for (const { rid, most } of sealed) {
        const record = await relay.recordOf(rid)
        expect(record).to.include({ kind: 'exchange', outcome: 'answered', status: 200 })
        expect(record['request']).to.deep.include({ method: 'POST', length: BODY.length, forwardedLength: want.length }) // prettier-ignore
        expect(record).to.have.nested.property('request.rows.count', 3000)
        expect(record).to.have.nested.property('request.upload.parts').within(1, most)
        expect(isCommitted(record, 'body_sha256', BODY)).to.equal(true)
        expect(isCommitted(record, 'forwarded_sha256', want)).to.equal(true)
      }
    })
  }

  it('of a short body goes the way of short bodies', async () => {
    const body = Buffer.from(rows(3))
    const want = await unbroken(ROWS, body)
    const upload = await beginAt(send, ROWS)
    const answer = await resume(send, upload, body, [7])
    expect(answer.status).to.equal(200)
    const [taken] = relay.recipient.taken
    expect(taken?.headers['content-length']).to.equal(String(want.length))
    expect(taken?.body.equals(want)).to.equal(true)
    const record = await relay.recordOf(answer.headers['evidence-id'])
    expect(record['request']).to.deep.include({ length: body.length })
    expect(record).to.have.nested.property('request.upload.parts').within(1, 2)
    expect(isCommitted(record, 'body_sha256', body)).to.equal(true)
  })

  it('whose first part has a digest of its own has in its record that of the whole', async () => {
    for (const body of [Buffer.from(rows(3)), BODY]) {
      const [first, rest] = [body.subarray(0, 100), body.subarray(100)]
      const digest = createHash('sha256').update(first).digest('base64')
      const fields = { 'content-type': 'application/x-ndjson', 'upload-complete': '?0' }
      const headers = { ...fields, 'content-digest': `sha-256=:${digest}:` }
      const begun = await send({ method: 'POST', path: ROWS, headers, body: first })
      expect(begun.answer?.headers).to.include({ 'upload-complete': '?0', 'upload-offset': '100' })
      const path = String(begun.answer?.headers.location)
      const { answer } = await send({
        method: 'PATCH',
        path,
        headers: partFields(100, true),
        body: rest,
      })
      expect(answer?.status, answer?.body).to.equal(200)
      const record = await relay.recordOf(answer?.headers['evidence-id'])
      expect(record).to.have.nested.property('request.upload.parts', 2)
      expect(isCommitted(record, 'body_sha256', body)).to.equal(true)
    }
  })

  it('is announced by OPTIONS, and by a 104 to who names the version', async () => {
    const asked = await send({ method: 'OPTIONS', path: ROWS })
    expect(asked.answer?.status).to.equal(204)
    expect(asked.answer?.headers).to.include({
      allow: 'POST',
      'accept-patch': 'application/partial-upload',
      'upload-limit': 'max-size=17179869184, max-age=14400',
    })
    const headers = {
      'content-type': 'application/x-ndjson',
      'upload-complete': '?1',
      'upload-draft-interop-version': '8',
    }
    const first = await send({ method: 'POST', path: ROWS, headers, body: BODY, breakAt: 70_000 })
    expect(first.answer).to.equal(undefined)
    const [informed] = first.informed
    expect(informed?.statusCode).to.equal(104)
    expect(informed?.headers['upload-draft-interop-version']).to.equal('8')
    expect(informed?.headers['upload-limit']).to.match(/^max-size=17179869184, max-age=1\d{4}$/)
    const upload = String(informed?.headers.location)
    expect(upload).to.match(/^\/uploads\/harbour-bank\/[0-9a-f]{32}$/)
    const head = await send({ method: 'HEAD', path: upload })
    expect(head.answer?.status).to.equal(204)
    expect(head.answer?.headers).to.include({ 'upload-complete': '?0', 'upload-length': String(BODY.length), 'cache-control': 'no-store' }) // prettier-ignore
    expect(Number(head.answer?.headers['upload-offset'])).to.be.within(0, 70_000)
    const answer = await resume(send, upload, BODY)
    expect(answer.status).to.equal(200)
    expect(relay.recipient.taken).to.have.length(1)
  })

  it('that nobody can go on with is a request like any other', async () => {
    for (const version of [{}, { 'upload-draft-interop-version': '7' }]) {
      const headers = {
        'content-type': 'application/x-ndjson',
        'upload-complete': '?1',
        ...version,
      }
      const { answer, informed } = await send({ method: 'POST', path: ROWS, headers, body: BODY })
      expect(answer?.status).to.equal(200)
      expect(informed).to.deep.equal([])
      expect(answer?.headers).to.not.have.any.keys('upload-complete', 'location')
      const record = await relay.recordOf(answer?.headers['evidence-id'])
      expect(record['request']).to.not.have.property('upload')
    }
  })

  it('in one piece answers the creating request, and says what became of it ever after', async () => {
    const headers = {
      'content-type': 'application/x-ndjson',
      'upload-complete': '?1',
      'upload-draft-interop-version': '8',
    }
    const { answer, informed } = await send({ method: 'POST', path: ROWS, headers, body: BODY })
    expect(answer?.status).to.equal(200)
    expect(answer?.headers['upload-complete']).to.equal('?1')
    const upload = String(informed[0]?.headers.location)
    const head = await send({ method: 'HEAD', path: upload })
    expect(head.answer?.headers).to.include({
      'evidence-id': answer?.headers['evidence-id'],
      'upload-complete': '?1',
      'upload-offset': String(BODY.length),
      'evidence-outcome': 'answered;status=200;recipient-status=200',
    })
    const got = await send({ method: 'GET', path: upload })
    expect(JSON.parse(got.answer?.body ?? '')).to.deep.equal({
      evidenceId: answer?.headers['evidence-id'],
      ...{ complete: true, offset: BODY.length, length: BODY.length },
      ...{ outcome: 'answered', status: 200, recipientStatus: 200 },
    })
  })

  it('tells how far it is while it comes', async () => {
    await relay.start({ limits: { ...LIMITS, UPLOAD_PROGRESS_BYTES: 100_000 } })
    const upload = await beginAt(send, ROWS)
    const version = { 'upload-draft-interop-version': '8' }
    const headers = { ...partFields(0, true), ...version }
    const { answer, informed } = await send({ method: 'PATCH', path: upload, headers, body: BODY })
    expect(answer?.status).to.equal(200)
    const offsets = informed.map(({ headers: fields }) => Number(fields['upload-offset']))
    expect(offsets.length).to.be.within(1, 3)
    expect(offsets).to.deep.equal(offsets.toSorted((a, b) => a - b))
    for (const { statusCode, headers: fields } of informed) {
      expect(statusCode).to.equal(104)
      expect(fields).to.not.have.property('location')
    }
  })

  it('that is cancelled leaves nothing but its record', async () => {
    const upload = await beginAt(send, ROWS)
    const part = BODY.subarray(0, 50_000)
    await send({ method: 'PATCH', path: upload, headers: partFields(0, false), body: part })
    const gone = await send({ method: 'DELETE', path: upload })
    expect(gone.answer?.status).to.equal(204)
    const record = await relay.recordOf(gone.answer?.headers['evidence-id'])
    expect(record).to.deep.include({
      ...{ kind: 'refusal', problem: 'upload-cancelled', recipient: 'harbour-bank' },
      ...{ route: 'POST /rows', status: 410 },
    })
    for (const method of ['HEAD', 'GET', 'DELETE', 'PATCH']) {
      const headers = method === 'PATCH' ? partFields(50_000, true) : {}
      expect((await send({ method, path: upload, headers })).answer?.status, method).to.equal(410)
    }
    expect(relay.recipient.taken).to.deep.equal([])
  })

  it('with a leak in it is refused as a whole, and cannot be tried again', async () => {
    const upload = await beginAt(send, '/harbour-bank/held')
    const body = Buffer.from(rows(300) + row(300, 'call 13900139000'))
    const answer = await resume(send, upload, body, [5000])
    expect(answer.status).to.equal(422)
    expect(answer.headers['upload-complete']).to.equal('?1')
    expect(answer.body).to.include('/problems/leak-detected')
    const record = await relay.recordOf(answer.headers['evidence-id'])
    expect(record).to.include({ kind: 'refusal', problem: 'leak-detected' })
    const head = await send({ method: 'HEAD', path: upload })
    expect(head.answer?.headers['evidence-outcome']).to.equal('refused;status=422;problem=leak-detected') // prettier-ignore
    expect(head.answer?.headers['evidence-id']).to.equal(answer.headers['evidence-id'])
    expect(relay.recipient.taken).to.deep.equal([])
  })

  it('seals nothing for its parts, and one record at its end', async () => {
    const before = (await readRecords(relay.installation.config())).length
    const upload = await beginAt(send, ROWS)
    for (let offset = 0; offset < 30_000; offset += 10_000) {
      const body = BODY.subarray(offset, offset + 10_000)
      const { answer } = await send({ method: 'PATCH', path: upload, headers: partFields(offset, false), body }) // prettier-ignore
      expect(answer?.status).to.equal(204)
      expect(answer?.headers).to.include({ 'upload-complete': '?0', 'upload-offset': String(offset + 10_000) }) // prettier-ignore
    }
    expect(await offsetOf(send, upload)).to.equal(30_000)
    const answer = await resume(send, upload, BODY)
    await relay.recordOf(answer.headers['evidence-id'])
    expect((await readRecords(relay.installation.config())).length).to.equal(before + 1)
  })
})

import { expect } from 'chai'
import { createHash } from 'node:crypto'
import type { Answer } from '../support/client.ts'
import { rows, rowsPolicy, startTaker } from '../support/long.ts'
import { useRelay } from '../support/relay.ts'
import { beginAt, offsetOf, type Part, partFields, uploader } from '../support/uploads.ts'

const LIMITS = { BODY_BYTES_MAX: 4096, STREAM_BYTES_MAX: 400_000, STREAM_IDLE_TIMEOUT_MS: 500 }
const ROWS = '/harbour-bank/rows'
const BODY = Buffer.from(rows(1000))
const IANA = 'https://iana.org/assignments/http-problem-types#'
const digestOf = (bytes: Buffer) =>
  `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`

describe('what resumable uploads are refused for', () => {
  const relay = useRelay(startTaker)
  const send = relay.sendPart

  before(async () => {
    relay.installation.addPolicy('rows.yaml', rowsPolicy())
    const kept = rowsPolicy().replace('/rows', '/remove').replace('policy: rows', 'policy: remove')
    relay.installation.addPolicy('remove.yaml', kept.replace('method: POST', 'method: DELETE'))
    await relay.start({ limits: LIMITS })
  })

  /** What the log must hold in the end: looked at once, since records take a moment to get there. */
  const refused: { rid: unknown; want: object }[] = []

  function expectProblem(answer: Answer | undefined, status: number, slug: string) {
    expect(answer?.status, answer?.body).to.equal(status)
    const iana = ['mismatching-upload-offset', 'completed-upload', 'inconsistent-upload-length']
    const problem = JSON.parse(answer?.body ?? '{}') as Record<string, unknown>
    expect(problem['type']).to.equal(iana.includes(slug) ? IANA + slug : `/problems/${slug}`)
    refused.push({ rid: answer?.headers['evidence-id'], want: { problem: slug, status } })
    expect(relay.recipient.taken).to.deep.equal([])
    return problem
  }

  // prettier-ignore
  const BEGINNINGS: { name: string; part: Partial<Part>; status: number; slug: string; limit?: RegExp }[] = [
    { name: 'no such route',            part: { path: '/harbour-bank/other' },                              status: 404, slug: 'route-unknown' },
    { name: 'no such recipient',        part: { path: '/other-bank/rows', headers: {} },                    status: 401, slug: 'credentials-invalid' },
    { name: 'no media type',            part: { headers: { 'content-type': '' } },                          status: 415, slug: 'media-type-unsupported' },
    { name: 'an unknown coding',        part: { headers: { 'content-encoding': 'compress' } },              status: 415, slug: 'media-type-unsupported' },
    { name: 'no Boolean',               part: { headers: { 'upload-complete': 'no' } },                     status: 400, slug: 'request-malformed' },
    { name: 'a length that is none',    part: { headers: { 'upload-length': '-1' } },                       status: 400, slug: 'request-malformed' },
    { name: 'a method without uploads', part: { method: 'DELETE', path: '/harbour-bank/remove' },           status: 400, slug: 'request-malformed' },
    { name: 'a length beyond limits',   part: { headers: { 'upload-length': '400001' } },                   status: 413, slug: 'body-too-large', limit: /^max-size=400000, max-age=\d+$/ },
    { name: 'more than its length',     part: { headers: { 'upload-length': '10' }, body: BODY },           status: 400, slug: 'inconsistent-upload-length' },
    { name: 'more than its length, in chunks', part: { headers: { 'upload-length': '10' }, body: BODY, chunked: true }, status: 400, slug: 'inconsistent-upload-length' },
    { name: 'a digest that differs',    part: { headers: { 'content-digest': digestOf(BODY) }, body: BODY.subarray(1) }, status: 400, slug: 'body-malformed' },
    { name: 'a digest of no known kind', part: { headers: { 'repr-digest': 'md5=:AA==:' } },                status: 400, slug: 'body-malformed' },
  ]
  for (const { name, part, status, slug, limit } of BEGINNINGS) {
    it(`at the beginning, ${status} ${slug}: ${name}`, async () => {
      const headers = { 'upload-complete': '?0', 'content-type': 'application/x-ndjson' }
      const { answer } = await send({ method: 'POST', path: ROWS, ...part, headers: { ...headers, ...part.headers } }) // prettier-ignore
      expectProblem(answer, status, slug)
      expect(answer?.headers).to.not.have.property('location')
      if (limit !== undefined) expect(answer?.headers['upload-limit']).to.match(limit)
    })
  }

  // prettier-ignore
  const PARTS: { name: string; part: Partial<Part>; status: number; slug: string; offset?: number }[] = [
    { name: 'another media type',   part: { headers: { 'content-type': 'application/x-ndjson' } }, status: 415, slug: 'media-type-unsupported' },
    { name: 'a coding of its own',  part: { headers: { 'content-encoding': 'gzip' } },             status: 415, slug: 'media-type-unsupported' },
    { name: 'no offset',            part: { headers: { 'upload-offset': '' } },                    status: 400, slug: 'request-malformed' },
    { name: 'an offset before',     part: { headers: { 'upload-offset': '9999' } },                status: 409, slug: 'mismatching-upload-offset' },
    { name: 'an offset behind',     part: { headers: { 'upload-offset': '10001' } },               status: 409, slug: 'mismatching-upload-offset' },
    { name: 'another length',       part: { headers: { 'upload-length': '60001' } },               status: 400, slug: 'inconsistent-upload-length' },
    { name: 'an end before the end', part: { headers: { 'upload-complete': '?1' } },               status: 400, slug: 'inconsistent-upload-length' },
    { name: 'an end before the end, in chunks', part: { headers: { 'upload-complete': '?1' }, chunked: true }, status: 400, slug: 'inconsistent-upload-length', offset: 20_000 },
    { name: 'more than the length', part: { body: BODY.subarray(0, 60_000) },                      status: 400, slug: 'inconsistent-upload-length' },
    { name: 'a digest that differs', part: { headers: { 'content-digest': digestOf(BODY) } },      status: 400, slug: 'body-malformed' },
    { name: 'another method',       part: { method: 'PUT' },                                       status: 404, slug: 'route-unknown' },
  ]
  for (const { name, part, status, slug, offset = 10_000 } of PARTS) {
    it(`in a part, ${status} ${slug}: ${name}; and nothing that was taken is lost`, async () => {
      const upload = await beginAt(send, ROWS, { 'upload-length': '60000' })
      const first = BODY.subarray(0, 10_000)
      await send({ method: 'PATCH', path: upload, headers: partFields(0, false), body: first })
      const headers = { ...partFields(10_000, false), ...part.headers }
      const body = BODY.subarray(10_000, 20_000)
      const { answer } = await send({ method: 'PATCH', path: upload, body, ...part, headers })
      const problem = expectProblem(answer, status, slug)
      if (slug === 'mismatching-upload-offset') {
        expect(answer?.headers).to.include({ 'upload-offset': '10000', 'upload-complete': '?0' })
        const provided = Number(headers['upload-offset'])
        expect(problem).to.include({ 'expected-offset': 10_000, 'provided-offset': provided })
      }
      expect(await offsetOf(send, upload)).to.equal(offset)
    })
  }

  // prettier-ignore
  const ENDING: { name: string; chunks: number; length?: string; status: number; slug: string }[] = [
    { name: 'more than its length', chunks: 2000, length: '100000', status: 400, slug: 'inconsistent-upload-length' },
    { name: 'more than its limit',  chunks: 6000,                   status: 413, slug: 'body-too-large' },
  ]
  for (const { name, chunks, length, status, slug } of ENDING) {
    it(`is over when it brings ${name}, which no head had told`, async () => {
      const upload = await beginAt(send, ROWS, length === undefined ? {} : { 'upload-length': length }) // prettier-ignore
      const part = { method: 'PATCH', path: upload, headers: partFields(0, false) }
      const { answer } = await send({ ...part, body: Buffer.from(rows(chunks)), chunked: true })
      expectProblem(answer, status, slug)
      expect(answer?.headers).to.have.property('upload-limit')
      const again = await send(part)
      expectProblem(again.answer, status, slug)
    })
  }

  it('404 for everybody else, and no sign that there is one', async () => {
    const upload = await beginAt(send, ROWS)
    const other = uploader(relay.gateway.relayUrl, relay.installation.bank)
    const none = upload.replace(/[0-9a-f]{8}$/, '00000000')
    const seen = new Set<string>()
    for (const [who, path] of [
      [other, upload],
      [other, none],
      [send, none],
    ] as const) {
      for (const method of ['HEAD', 'GET', 'PATCH', 'DELETE']) {
        const headers = method === 'PATCH' ? partFields(0, false) : {}
        const { answer } = await who({ method, path, headers })
        expect(answer?.status).to.equal(404)
        const { instance: _, ...problem } = JSON.parse(answer?.body || '{"instance":""}') as Record<string, unknown> // prettier-ignore
        const fields = Object.keys(answer?.headers ?? {})
          .toSorted()
          .join()
        seen.add(`${method} ${JSON.stringify(problem)} ${fields}`)
      }
    }
    expect(seen.size, 'one answer for each method').to.equal(4)
    expect(await offsetOf(send, upload)).to.equal(0)
  })

  it('401 for credentials that are for another recipient, old, or used before', async () => {
    const upload = await beginAt(send, ROWS)
    const elsewhere = uploader(relay.gateway.relayUrl, relay.installation.platform, 'other-bank')
    expect((await elsewhere({ method: 'HEAD', path: upload })).answer?.status).to.equal(401)
    const authorization = await relay.authorization()
    const once = { method: 'GET', path: upload, headers: { authorization } }
    expect((await send(once)).answer?.status).to.equal(200)
    const again = await send(once)
    expectProblem(again.answer, 401, 'credentials-replayed')
  })

  it('takes nothing more once it is complete', async () => {
    const upload = await beginAt(send, ROWS)
    const path = { method: 'PATCH', path: upload }
    const whole = await send({ ...path, headers: partFields(0, true), body: BODY })
    expect(whole.answer?.status).to.equal(200)
    relay.recipient.taken.length = 0
    const empty = await send({ ...path, headers: partFields(BODY.length, true) })
    expectProblem(empty.answer, 400, 'completed-upload')
    expect(empty.answer?.headers).to.not.have.property('upload-complete')
    const more = await send({ ...path, headers: partFields(BODY.length, true), body: BODY })
    expectProblem(more.answer, 400, 'inconsistent-upload-length')
    const gone = await send({ method: 'DELETE', path: upload })
    expectProblem(gone.answer, 400, 'completed-upload')
    const head = await send({ method: 'HEAD', path: upload })
    expect(head.answer?.headers['evidence-id']).to.equal(whole.answer?.headers['evidence-id'])
  })

  it('compares the whole with the Repr-Digest that it was begun with', async () => {
    for (const [body, status] of [
      [BODY, 200],
      [BODY.subarray(1), 400],
    ] as const) {
      relay.recipient.taken.length = 0
      const upload = await beginAt(send, ROWS, { 'repr-digest': digestOf(BODY) })
      const half = { headers: partFields(0, false), body: body.subarray(0, 30_000) }
      await send({ method: 'PATCH', path: upload, ...half })
      const wrong = { ...partFields(30_000, true), 'content-digest': digestOf(BODY) }
      await send({ method: 'PATCH', path: upload, headers: wrong, body: BODY.subarray(0, 30_000) })
      const rest = { headers: partFields(30_000, true), body: body.subarray(30_000) }
      const { answer } = await send({ method: 'PATCH', path: upload, ...rest })
      expect(answer?.status, answer?.body).to.equal(status)
      expect(answer?.headers['upload-complete']).to.equal('?1')
      expect(relay.recipient.taken).to.have.length(status === 200 ? 1 : 0)
    }
  })

  it('and each refusal is sealed', async () => {
    for (const { rid, want } of refused) {
      expect(await relay.recordOf(rid)).to.include({ kind: 'refusal', ...want })
    }
  })
})

import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import type { Gateway } from '../../gateway/serve.ts'
import { type Bank, json, startBank } from '../support/bank.ts'
import { type Answer, type Call, call } from '../support/client.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { findRecord, readRecords } from '../support/records.ts'

const APPLICATION = JSON.parse(
  readFileSync(new URL('../fixtures/lending/02-application.json', import.meta.url), 'utf8'),
) as { consent: Record<string, unknown> }
const PATH = '/harbour-bank/credit/applications'

/** The application with its consent changed. */
function consenting(changes: Record<string, unknown>): string {
  return JSON.stringify({ ...APPLICATION, consent: { ...APPLICATION.consent, ...changes } })
}

interface Refused extends Call {
  readonly name: string
  readonly path?: string
  readonly aud?: string
  readonly claims?: Record<string, unknown>
  readonly bank?: Bank['answer']
  readonly status: number
  readonly slug: string
  readonly detail: RegExp
}

// prettier-ignore
const REFUSED: Refused[] = [
  { name: 'no credentials',              headers: { authorization: '' },                                 status: 401, slug: 'credentials-invalid',    detail: /Bearer/ },
  { name: 'credentials for another',     aud: 'other-bank',                                              status: 401, slug: 'credentials-invalid',    detail: /`aud`/ },
  { name: 'an unknown recipient',        path: '/other-bank/x', aud: 'other-bank',                       status: 404, slug: 'recipient-unknown',      detail: /no party/ },
  { name: 'no recipient',                path: '/', aud: '',                                             status: 404, slug: 'recipient-unknown',      detail: /no party/ },
  { name: 'an unknown path',             path: '/harbour-bank/credit/other',                             status: 404, slug: 'route-unknown',          detail: /no policy/ },
  { name: 'another method',              method: 'PUT',                                                  status: 404, slug: 'route-unknown',          detail: /no policy/ },
  { name: 'a trailing slash',            path: `${PATH}/`,                                               status: 404, slug: 'route-unknown',          detail: /no policy/ },
  { name: 'a dot segment',               path: '/harbour-bank/x/../credit/applications',                 status: 400, slug: 'request-malformed',      detail: /dot segment/ },
  { name: 'an escaped slash',            path: '/harbour-bank/credit%2Fapplications',                    status: 400, slug: 'request-malformed',      detail: /escape/ },
  { name: 'a broken document',           body: '{"a":',                                                  status: 400, slug: 'body-malformed',         detail: /./ },
  { name: 'a key twice',                 body: '{"amount":"1","amount":"2"}',                            status: 400, slug: 'body-malformed',         detail: /./ },
  { name: 'a lone surrogate',            body: '{"amount":"\\ud800"}',                                   status: 400, slug: 'body-malformed',         detail: /./ },
  { name: 'invalid UTF-8',               body: Buffer.from('7b2261223a22ff227d', 'hex'),                 status: 400, slug: 'body-malformed',         detail: /./ },
  { name: 'two documents',               body: '{} {}',                                                  status: 400, slug: 'body-malformed',         detail: /./ },
  { name: 'a wrong digest',              headers: { 'content-digest': 'sha-256=:AA==:' },                status: 400, slug: 'body-malformed',         detail: /digest/ },
  { name: 'too much',                    body: `{"amount":"${'9'.repeat(20_000)}"}`,                     status: 413, slug: 'body-too-large',         detail: /at most 18000 bytes/ },
  { name: 'no media type',               headers: { 'content-type': '' },                                status: 415, slug: 'media-type-unsupported', detail: /application\/json/ },
  { name: 'another media type',          headers: { 'content-type': 'text/plain' },                      status: 415, slug: 'media-type-unsupported', detail: /application\/json/ },
  { name: 'another charset',             headers: { 'content-type': 'application/json; charset=big5' },   status: 415, slug: 'media-type-unsupported', detail: /utf-8/ },
  { name: 'an unknown coding',           headers: { 'content-encoding': 'compress' },                    status: 415, slug: 'media-type-unsupported', detail: /gzip, deflate, br, zstd/ },
  { name: 'two codings',                 headers: { 'content-encoding': 'gzip, br' },                    status: 415, slug: 'media-type-unsupported', detail: /coding/ },
  { name: 'a coding that it has not',    headers: { 'content-encoding': 'gzip' },                        status: 400, slug: 'body-malformed',         detail: /not valid gzip/ },
  { name: 'no body, hence no consent',   body: '',                                                       status: 403, slug: 'consent-missing',        detail: /no consent/ },
  { name: 'no consent',                  body: '{"amount":"1"}',                                         status: 403, slug: 'consent-missing',        detail: /no consent/ },
  { name: 'a consent that is a text',    body: '{"consent":"yes"}',                                      status: 403, slug: 'consent-missing',        detail: /an object/ },
  { name: 'consent for another bank',    body: consenting({ recipient: 'other-bank' }),                  status: 403, slug: 'consent-missing',        detail: /`recipient`/ },
  { name: 'consent for another purpose', body: consenting({ purpose: 'marketing' }),                     status: 403, slug: 'consent-missing',        detail: /`purpose`/ },
  { name: 'an expired consent',          body: consenting({ expiresAt: '2020-01-01T00:00:00Z' }),        status: 403, slug: 'consent-missing',        detail: /`expiresAt` has passed/ },
  { name: 'a consent of tomorrow',       body: consenting({ grantedAt: '2099-01-01T00:00:00Z' }),        status: 403, slug: 'consent-missing',        detail: /`grantedAt`/ },
  { name: 'a consent without a date',    body: consenting({ expiresAt: 'never' }),                       status: 403, slug: 'consent-missing',        detail: /RFC 3339/ },
  { name: 'a date that is no RFC 3339',  body: consenting({ expiresAt: '2099' }),                        status: 403, slug: 'consent-missing',        detail: /RFC 3339/ },
  { name: 'a consent without one kind',  body: consenting({ kinds: ['name', 'mobile', 'address', 'bank-card'] }), status: 403, slug: 'consent-missing', detail: /lack resident-id$/ },
  { name: 'a consent without kinds',     body: consenting({ kinds: 'all' }),                             status: 403, slug: 'consent-missing',        detail: /lack / },
  { name: 'an answer that is HTML',      bank: (_r, response) => { response.setHeader('content-type', 'text/html').end('<p>13800138000') }, status: 502, slug: 'recipient-failed', detail: /expected application\/json/ },
  { name: 'an answer that is broken',    bank: (_r, response) => json(response, '{"status":'),           status: 502, slug: 'recipient-failed',       detail: /its answer/ },
  { name: 'an answer with a key twice',  bank: (_r, response) => json(response, '{"status":1,"status":2}'), status: 502, slug: 'recipient-failed',    detail: /its answer/ },
  { name: 'an answer in no known coding', bank: (_r, response) => { response.setHeader('content-encoding', 'compress').end('x') }, status: 502, slug: 'recipient-failed', detail: /coding/ },
  { name: 'an answer that is too large', bank: (_r, response) => json(response, { status: 'x'.repeat(20_000) }), status: 502, slug: 'recipient-failed', detail: /at most 18000 bytes/ },
  { name: 'a redirect',                  bank: (_r, response) => { response.writeHead(302, { location: 'http://inside/13800138000' }).end() }, status: 502, slug: 'recipient-failed', detail: /redirect/ },
  { name: 'a foreign token in an answer', bank: (_r, response) => json(response, { applicant: { mobile: 'tok_mobile_1_aaaaaaaaaaaa' } }), status: 502, slug: 'recipient-failed', detail: /its answer/ },
  { name: 'no answer in time',           bank: () => {},                                                 status: 504, slug: 'recipient-timeout',      detail: /within 400 ms/ },
  { name: 'a connection that breaks',    bank: (_r, response) => { response.socket?.destroy() },         status: 502, slug: 'recipient-failed',       detail: /broke/ },
]

describe('refusals, end to end', () => {
  let bank: Bank
  let installation: Installation
  let gateway: Gateway
  const limits = { BODY_BYTES_MAX: 16_384, STREAM_BYTES_MAX: 18_000, RECIPIENT_TIMEOUT_MS: 400 }

  before(async () => {
    bank = await startBank()
    installation = await createInstallation(bank.url)
    gateway = await installation.start({ limits })
  })
  after(async () => {
    await gateway.close()
    await bank.close()
    installation.remove()
  })

  /** What the log must hold in the end: looked at once, since records take a moment to get there. */
  const sealed: { name: string; rid: unknown; want: Record<string, unknown> }[] = []

  async function expectRefusal(answer: Answer, status: number, slug: string, detail: RegExp) {
    expect(answer.status, answer.body).to.equal(status)
    expect(answer.headers['content-type']).to.equal('application/problem+json')
    const rid = answer.headers['evidence-id']
    const problem = JSON.parse(answer.body) as Record<string, unknown>
    expect(problem).to.include({ type: `/problems/${slug}`, status, instance: `urn:uuid:${rid}` })
    expect(problem).to.have.keys('type', 'title', 'status', 'detail', 'help', 'instance')
    expect(problem['detail']).to.match(detail)
    const page = await call(`${gateway.relayUrl}${String(problem['type'])}`, { method: 'GET' })
    expect(page.status).to.equal(200)
    expect(page.headers['content-type']).to.match(/^text\/html/)
    expect(page.body).to.include(slug)
    return { rid, want: { problem: slug, status } }
  }

  for (const {
    name,
    path = PATH,
    aud = 'harbour-bank',
    claims,
    status,
    slug,
    detail,
    bank: answerAs,
    ...rest
  } of REFUSED) {
    it(`${status} ${slug}: ${name}`, async () => {
      bank.received.length = 0
      bank.answer = answerAs ?? ((_request, response) => json(response, {}))
      const answer = await call(gateway.relayUrl + path, {
        body: JSON.stringify(APPLICATION),
        ...rest,
        headers: {
          authorization: `Bearer ${await installation.platform.jwt(aud, claims)}`,
          'content-type': 'application/json',
          ...rest.headers,
        },
      })
      const { rid, want } = await expectRefusal(answer, status, slug, detail)
      expect(bank.received).to.have.length(answerAs === undefined ? 0 : 1)
      const ended = /broke|within/.test(String(detail)) ? 'failed' : 'refused'
      const kind =
        answerAs === undefined ? { kind: 'refusal' } : { kind: 'exchange', outcome: ended }
      sealed.push({ name, rid, want: { ...want, ...kind } })
    })
  }

  it('401 credentials-missing, with a challenge', async () => {
    const answer = await call(gateway.relayUrl + PATH, {
      body: '{}',
      headers: { 'content-type': 'application/json' },
    })
    await expectRefusal(answer, 401, 'credentials-missing', /no JWT/)
    expect(answer.headers['www-authenticate']).to.equal('Bearer realm="sealgate"')
  })

  it('401 credentials-replayed', async () => {
    const authorization = `Bearer ${await installation.platform.jwt('harbour-bank')}`
    const send = () =>
      call(gateway.relayUrl + PATH, {
        body: JSON.stringify(APPLICATION),
        headers: { authorization, 'content-type': 'application/json' },
      })
    bank.answer = (_request, response) => json(response, {})
    expect((await send()).status).to.equal(200)
    await expectRefusal(await send(), 401, 'credentials-replayed', /`jti`/)
  })

  it('502 recipient-unreachable', async () => {
    const answer = await call(`${gateway.relayUrl}/sunrise-platform/callbacks/credit-decisions`, {
      body: '{"applicationId":"APP-1"}',
      headers: {
        authorization: `Bearer ${await installation.bank.jwt('sunrise-platform')}`,
        'content-type': 'application/json',
      },
    })
    const { rid } = await expectRefusal(answer, 502, 'recipient-unreachable', /connection/)
    const record = await findRecord(installation.config(), rid)
    expect(record).to.include({ kind: 'exchange', outcome: 'failed' })
    expect(record['times']).to.not.have.property('sent')
  })

  it('each of them is sealed', async () => {
    await findRecord(installation.config(), sealed.at(-1)?.rid)
    const records = await readRecords(installation.config())
    for (const { name, rid, want } of sealed) {
      expect(
        records.find((record) => record.rid === rid),
        name,
      ).to.include(want)
    }
    expect(sealed).to.have.length(REFUSED.length)
  })
})

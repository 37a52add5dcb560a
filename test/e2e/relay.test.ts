import { expect } from 'chai'
import { json, startBank } from '../support/bank.ts'
import { checkLog } from '../support/records.ts'
import { APPLICATION, APPLICATIONS, useRelay } from '../support/relay.ts'

describe('a relay, end to end', () => {
  const relay = useRelay(startBank)

  before(() => relay.start())

  const apply = (headers: Record<string, string> = {}, query = '') =>
    relay.post(APPLICATIONS + query, APPLICATION, headers)

  it('tokenizes a loan application, byte-exact in what is kept, and answers with an Evidence-Id', async () => {
    relay.recipient.answer = (_request, response) =>
      json(response, '{"applicationId":"APP-2026-000017","status":"accepted","internalScore":7}')
    const answer = await apply()
    expect(answer.status).to.equal(200)
    expect(answer.body).to.equal('{"applicationId":"APP-2026-000017","status":"accepted"}')
    expect(answer.headers['evidence-id']).to.match(/^[0-9a-f-]{36}$/)
    const [seen] = relay.recipient.received
    expect(seen?.url).to.equal('/credit/applications')
    expect(seen?.body).to.include('"amount": "50000.00"').and.include('12345678901234567890')
    expect(seen?.body).to.include('0.0720')
    expect(seen?.body).to.match(/"mobile": "tok_mobile_1_[a-z]{48}"/)
    expect(seen?.body).to.not.match(/13800138000|11010519491231002X|6217000012345678907|email/)
  })

  it('reveals the token to its owner in the answer', async () => {
    relay.recipient.answer = (request, response) => {
      const { applicant } = JSON.parse(request.body) as { applicant: { mobile: string } }
      json(response, { status: 'accepted', applicant: { mobile: applicant.mobile } })
    }
    const answer = await apply()
    expect(JSON.parse(answer.body)).to.deep.equal({
      status: 'accepted',
      applicant: { mobile: '13800138000' },
    })
  })

  it('sends exactly these headers, and no others of the caller', async () => {
    await apply({
      'accept-language': 'zh-CN',
      'user-agent': 'caller/1',
      cookie: 'session=1',
      'x-forwarded-for': '203.0.113.7',
      'x-custom': 'x',
      connection: 'close, x-custom',
    })
    const names = relay.recipient.received[0]?.rawHeaders
      .filter((_, i) => i % 2 === 0)
      .map((n) => n.toLowerCase())
    expect(names?.toSorted()).to.deep.equal([
      'accept',
      'accept-encoding',
      'accept-language',
      'content-digest',
      'content-length',
      'content-type',
      'evidence-id',
      'host',
      'signature',
      'signature-input',
      'traceparent',
      'via',
    ])
  })

  it('passes a listed query parameter and drops the others', async () => {
    await apply({}, '?channel=app&mobile=13800138000')
    expect(relay.recipient.received[0]?.url).to.equal('/credit/applications?channel=app')
  })

  it('leaves a sealed record in the log, without a value', async () => {
    const answer = await apply()
    const record = await relay.recordOf(answer.headers['evidence-id'])
    expect(record).to.deep.include({
      kind: 'exchange',
      recipient: 'harbour-bank',
      route: 'POST /credit/applications',
      outcome: 'answered',
      status: 200,
      recipientStatus: 200,
    })
    expect(JSON.stringify(record)).to.not.match(/13800138000|11010519491231002X|王小明/)
    expect((await checkLog(relay.installation.config())).size).to.be.at.least(1)
  })
})

import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { startBank } from '../support/bank.ts'
import { call, exchangeRaw } from '../support/client.ts'
import { APPLICATION, useRelay } from '../support/relay.ts'

const { applicationId } = JSON.parse(APPLICATION.toString()) as { applicationId: string }
const CALL_LOG = { type: 'call-log', links: { application: applicationId }, content: { callee: '13800138000' } } // prettier-ignore

describe('deposits and searches in the running product', function () {
  this.timeout(60_000)
  const relay = useRelay(startBank)
  let secret: string
  let relayed: string
  const rids: string[] = []

  before(async () => {
    await relay.spawn()
    secret = readFileSync(relay.inFolder('data/keys/admin.secret'), 'utf8')
    relayed = await relay.apply()
  })

  const post = async (path: string, audience: string, body: string | Buffer) =>
    call(relay.gateway.relayUrl + path, {
      body,
      headers: {
        authorization: `Bearer ${await relay.installation.platform.jwt(audience)}`,
        'content-type': 'application/json',
      },
    })
  const search = async (...conditions: string[]) => {
    const { stdout, stderr } = await relay.run('evidence', 'search', ...conditions)
    expect(stderr).to.equal('')
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('  ')[0]]))
  }

  it('seals what a party hands in with its JWT, and no value of it in clear', async () => {
    const answer = await post('/api/deposit', 'deposit', JSON.stringify(CALL_LOG))
    expect(answer.status).to.equal(201)
    const { evidenceId } = JSON.parse(answer.body) as { evidenceId: string }
    expect(answer.headers['evidence-id']).to.equal(evidenceId)
    const record = await relay.recordOf(evidenceId)
    expect(record).to.include({ kind: 'deposit', type: 'call-log' })
    expect(record['caller']).to.include({ id: 'sunrise-platform', auth: 'jwt' })
    const text = JSON.stringify(record)
    expect(text).to.not.include(applicationId).and.not.include('13800138000')
    rids.push(evidenceId)
  })

  it('seals a document by the command line, whose digest can be proven later', async () => {
    const file = relay.inFolder('contract.pdf')
    writeFileSync(file, 'synthetic contract')
    const { stdout, code } = await relay.run(
      ...['deposit', '--admin', relay.gateway.adminUrl, '--party', 'harbour-bank'],
      ...['--type', 'contract', '--file', file, '--link', `application=${applicationId}`],
    )
    expect(code).to.equal(0)
    const rid = stdout.trim()
    const record = await relay.recordOf(rid)
    expect(record['caller']).to.deep.equal({ id: 'harbour-bank', auth: 'operator', key: '' })
    rids.push(rid)
    const digest = createHash('sha256').update('synthetic contract').digest('hex')
    const out = relay.inFolder('deposit.json')
    const open = ['--open', `document_sha256=${digest}`, '--out', out]
    await relay.run('evidence', 'export', rid, ...open)
    const verified = await relay.verify(out)
    expect(verified.stdout).to.include(`"${digest}"`)
    expect(verified.code).to.equal(0)
  })

  // prettier-ignore
  const REFUSED: { name: string; body: object; want: string }[] = [
    { name: 'nothing to commit to',    body: { type: 'contract' },                           want: 'expected `sha256` or `content`' },
    { name: 'a type with a space',     body: { ...CALL_LOG, type: 'call log' },              want: '`type` is not' },
    { name: 'a number',                body: { ...CALL_LOG, content: { durationS: 35 } },    want: '`content` is not' },
    { name: 'a list of links',         body: { ...CALL_LOG, links: ['A-1'] },                want: '`links` is not' },
    { name: 'a digest in capitals',    body: { type: 'contract', sha256: 'A'.repeat(64) },   want: '`sha256` is not' },
    { name: "another party's name",    body: { ...CALL_LOG, party: 'harbour-bank' },         want: 'expected only' },
  ]
  for (const { name, body, want } of REFUSED) {
    it(`refuses ${name}`, async () => {
      const answer = await post('/api/deposit', 'deposit', JSON.stringify(body))
      expect(answer.status).to.equal(400)
      expect((JSON.parse(answer.body) as { detail: string }).detail).to.include(want)
    })
  }

  it('refuses credentials for something else, and a party that it does not know', async () => {
    const other = await post('/api/deposit', 'harbour-bank', JSON.stringify(CALL_LOG))
    expect(other.status).to.equal(401)
    const none = await call(`${relay.gateway.relayUrl}/api/deposit`, {
      body: JSON.stringify(CALL_LOG),
    })
    expect(none.status).to.equal(401)
    const headers = { authorization: `Bearer ${secret}` }
    const body = JSON.stringify({ ...CALL_LOG, party: 'nobody' })
    const unknown = await call(`${relay.gateway.adminUrl}/api/deposit`, { headers, body })
    expect(unknown.status).to.equal(400)
  })

  it('survives a body that breaks off', async () => {
    const head = 'POST /api/deposit HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n'
    const jwt = await relay.installation.platform.jwt('deposit')
    await exchangeRaw(relay.gateway.relayUrl, `${head}\r\n+1\r\na\r\n`)
    await exchangeRaw(
      relay.gateway.relayUrl,
      `${head}authorization: Bearer ${jwt}\r\n\r\n+1\r\na\r\n`,
    )
    const ready = await call(`${relay.gateway.adminUrl}/readyz`, { method: 'GET' })
    expect(ready.status).to.equal(200)
  })

  it('finds a case by its number, by party and by time', async () => {
    expect(await search('--link', `application=${applicationId}`)).to.have.members([relayed, ...rids]) // prettier-ignore
    expect(await search('--link', 'application=other')).to.deep.equal([])
    expect(await search('--case', relayed)).to.have.members([relayed, ...rids])
    expect(await search('--party', 'harbour-bank')).to.have.members([relayed, rids[1]])
    expect(await search('--kind', 'deposit', '--party', 'sunrise-platform')).to.deep.equal([rids[0]]) // prettier-ignore
    expect(await search('--until', '2020-01-01T00:00:00Z')).to.deep.equal([])
  })

  it('describes each call of its API, and has no other', async () => {
    const answer = await call(`${relay.gateway.adminUrl}/api/openapi.json`, { method: 'GET' })
    const { paths } = JSON.parse(answer.body) as { paths: Record<string, object> }
    for (const [path, methods] of Object.entries(paths)) {
      for (const method of Object.keys(methods)) {
        const headers = { authorization: `Bearer ${secret}` }
        const sent = { method: method.toUpperCase(), headers }
        const { status } = await call(relay.gateway.adminUrl + path, sent)
        expect(status, path).to.equal(method === 'get' ? 200 : 400)
      }
    }
    const headers = { authorization: `Bearer ${secret}` }
    expect((await call(`${relay.gateway.adminUrl}/api/other`, { headers })).status).to.equal(404)
  })
})

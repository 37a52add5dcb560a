import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bank, startBank } from '../support/bank.ts'
import { call, exchangeRaw } from '../support/client.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { type GatewayProcess, runCommand, spawnGateway } from '../support/process.ts'
import { findRecord } from '../support/records.ts'

const BODY = readFileSync(new URL('../fixtures/lending/02-application.json', import.meta.url))
const { applicationId } = JSON.parse(BODY.toString()) as { applicationId: string }
const CALL_LOG = { type: 'call-log', links: { application: applicationId }, content: { callee: '13800138000' } } // prettier-ignore

describe('deposits and searches in the running product', function () {
  this.timeout(60_000)
  let bank: Bank
  let installation: Installation
  let gateway: GatewayProcess
  let secret: string
  let relayed: string
  const rids: string[] = []

  before(async () => {
    bank = await startBank()
    installation = await createInstallation(bank.url)
    gateway = await spawnGateway(installation.configFile)
    secret = readFileSync(join(installation.folder, 'data/keys/admin.secret'), 'utf8')
    const { headers } = await post('/harbour-bank/credit/applications', 'harbour-bank', BODY)
    relayed = String(headers['evidence-id'])
  })
  after(async () => {
    await gateway.kill('SIGTERM')
    installation.remove()
    await bank.close()
  })

  const post = async (path: string, audience: string, body: string | Buffer) =>
    call(gateway.relayUrl + path, {
      body,
      headers: {
        authorization: `Bearer ${await installation.platform.jwt(audience)}`,
        'content-type': 'application/json',
      },
    })
  const config = () => ['--config', installation.configFile]
  const search = async (...conditions: string[]) => {
    const { stdout, stderr } = await runCommand(['evidence', 'search', ...config(), ...conditions])
    expect(stderr).to.equal('')
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('  ')[0]]))
  }

  it('seals what a party hands in with its JWT, and no value of it in clear', async () => {
    const answer = await post('/api/deposit', 'deposit', JSON.stringify(CALL_LOG))
    expect(answer.status).to.equal(201)
    const { evidenceId } = JSON.parse(answer.body) as { evidenceId: string }
    expect(answer.headers['evidence-id']).to.equal(evidenceId)
    const record = await findRecord(installation.config(), evidenceId)
    expect(record).to.include({ kind: 'deposit', type: 'call-log' })
    expect(record['caller']).to.include({ id: 'sunrise-platform', auth: 'jwt' })
    const text = JSON.stringify(record)
    expect(text).to.not.include(applicationId).and.not.include('13800138000')
    rids.push(evidenceId)
  })

  it('seals a document by the command line, whose digest can be proven later', async () => {
    const file = join(installation.folder, 'contract.pdf')
    writeFileSync(file, 'synthetic contract')
    const { stdout, code } = await runCommand([
      ...['deposit', ...config(), '--admin', gateway.adminUrl, '--party', 'harbour-bank'],
      ...['--type', 'contract', '--file', file, '--link', `application=${applicationId}`],
    ])
    expect(code).to.equal(0)
    const rid = stdout.trim()
    const record = await findRecord(installation.config(), rid)
    expect(record['caller']).to.deep.equal({ id: 'harbour-bank', auth: 'operator', key: '' })
    rids.push(rid)
    const digest = createHash('sha256').update('synthetic contract').digest('hex')
    const out = join(installation.folder, 'deposit.json')
    const open = ['--open', `document_sha256=${digest}`, '--out', out]
    await runCommand(['evidence', 'export', rid, ...config(), ...open])
    const trust = ['--trust', join(installation.folder, 'data/trust.json')]
    const verified = await runCommand(['verify', out, ...trust])
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
    const none = await call(`${gateway.relayUrl}/api/deposit`, { body: JSON.stringify(CALL_LOG) })
    expect(none.status).to.equal(401)
    const headers = { authorization: `Bearer ${secret}` }
    const body = JSON.stringify({ ...CALL_LOG, party: 'nobody' })
    const unknown = await call(`${gateway.adminUrl}/api/deposit`, { headers, body })
    expect(unknown.status).to.equal(400)
  })

  it('survives a body that breaks off', async () => {
    const head = 'POST /api/deposit HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n'
    const jwt = await installation.platform.jwt('deposit')
    await exchangeRaw(gateway.relayUrl, `${head}\r\n+1\r\na\r\n`)
    await exchangeRaw(gateway.relayUrl, `${head}authorization: Bearer ${jwt}\r\n\r\n+1\r\na\r\n`)
    const ready = await call(`${gateway.adminUrl}/readyz`, { method: 'GET' })
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
    const answer = await call(`${gateway.adminUrl}/api/openapi.json`, { method: 'GET' })
    const { paths } = JSON.parse(answer.body) as { paths: Record<string, object> }
    for (const [path, methods] of Object.entries(paths)) {
      for (const method of Object.keys(methods)) {
        const headers = { authorization: `Bearer ${secret}` }
        const sent = { method: method.toUpperCase(), headers }
        const { status } = await call(gateway.adminUrl + path, sent)
        expect(status, path).to.equal(method === 'get' ? 200 : 400)
      }
    }
    const headers = { authorization: `Bearer ${secret}` }
    expect((await call(`${gateway.adminUrl}/api/other`, { headers })).status).to.equal(404)
  })
})

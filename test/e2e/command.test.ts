import { expect } from 'chai'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bank, json, startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { runCommand, spawnGateway } from '../support/process.ts'
import { findRecord } from '../support/records.ts'
import { APPLICATION, APPLICATIONS } from '../support/relay.ts'

describe('sealgate serve', function () {
  this.timeout(30_000)
  let bank: Bank
  let installation: Installation

  before(async () => {
    bank = await startBank()
  })
  after(() => bank.close())
  beforeEach(async () => {
    installation = await createInstallation(bank.url)
  })
  afterEach(() => installation.remove())

  const editConfig = (from: string | RegExp, to: string) => {
    const text = readFileSync(installation.configFile, 'utf8')
    writeFileSync(installation.configFile, text.replace(from, to))
  }
  const inFolder = (...names: string[]) => join(installation.folder, ...names)
  const serve = () => runCommand(['serve', '--config', installation.configFile])

  const apply = async (relayUrl: string) =>
    call(relayUrl + APPLICATIONS, {
      body: APPLICATION,
      headers: {
        authorization: `Bearer ${await installation.platform.jwt('harbour-bank')}`,
        'content-type': 'application/json',
      },
    })

  // prettier-ignore
  const MISTAKES: { name: string; make: () => void; says: RegExp }[] = [
    { name: 'no configuration',         make: () => rmSync(installation.configFile),                                 says: /sealgate\.yaml.*cannot be (?:read|opened)|does not exist/ },
    { name: 'an unknown key',           make: () => editConfig('relay:', 'realy:'),                                  says: /sealgate\.yaml:1:1: .*realy[\s\S]*relay/ },
    { name: 'a missing key set',        make: () => rmSync(inFolder('keys', 'sunrise-platform.jwks.json')),          says: /sunrise-platform\.jwks\.json/ },
    { name: 'a key set of private keys', make: () => writeFileSync(inFolder('keys', 'sunrise-platform.jwks.json'), '{"keys":[{"kty":"oct","k":"x"}]}'), says: /public keys only/ },
    { name: 'no policies folder',       make: () => rmSync(inFolder('policies'), { recursive: true }),               says: /policies/ },
    { name: 'no kinds dictionary',      make: () => rmSync(inFolder('policies', 'kinds.yaml')),                      says: /kinds\.yaml:1:1: .*cannot be read/ },
    { name: 'a policy that fails its test', make: () => installation.addPolicy('drawdown.yaml', readFileSync(inFolder('policies', 'drawdown.yaml'), 'utf8').replace(/relayed: +\{/, 'relayed: { unheardOf: 1,')), says: /drawdown\.yaml:\d+:\d+: P009: test/ },
    { name: 'a log that is not a folder', make: () => editConfig('policies:', 'log: s3://bucket/x\npolicies:'),      says: /log/ },
  ]
  for (const { name, make, says } of MISTAKES) {
    it(`does not start and says what to do: ${name}`, async () => {
      make()
      const error = await installation.start().catch((e: unknown) => e)
      expect((error as Error).message).to.match(says)
    })
  }

  it('prints every mistake without a stack and ends with code 2', async () => {
    editConfig('relay:', 'realy:')
    editConfig('admin:', 'adnim:')
    const { code, stderr } = await serve()
    expect(stderr)
      .to.match(/:1:1: .*realy/)
      .and.match(/:2:1: .*adnim/)
      .and.not.match(/^\s+at /m)
    expect(code).to.equal(2)
  })

  it('ends with code 2 when a port is in use', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    editConfig('admin: { listen: 127.0.0.1:0 }', `admin: { listen: 127.0.0.1:${port} }`)
    const { code, stderr } = await serve()
    expect(stderr).to.match(new RegExp(`sealgate\\.yaml:2:\\d+: port ${port} .*in use`))
    expect(code).to.equal(2)
    await new Promise((resolve) => other.close(resolve))
  })

  it('refuses a key that others can read, and a lost key ring, once there is evidence', async () => {
    await (await installation.start()).close()
    const failure = () => installation.start().catch((e: unknown) => (e as Error).message)
    chmodSync(inFolder('data', 'keys', 'relay.pem'), 0o644)
    expect(await failure()).to.match(/relay\.pem: others can read the key; chmod 600/)
    chmodSync(inFolder('data', 'keys', 'relay.pem'), 0o600)
    rmSync(inFolder('data', 'keys', 'tokens.json'))
    expect(await failure()).to.match(/tokens\.json.*keys generate/)
  })

  it('serves health and metrics, drains on SIGTERM, and ends with code 0', async () => {
    const gateway = await spawnGateway(installation.configFile)
    const get = (path: string) => call(gateway.adminUrl + path, { method: 'GET' })
    expect(JSON.parse((await get('/healthz')).body)).to.deep.equal({ status: 'ok' })
    expect(JSON.parse((await get('/readyz')).body)).to.deep.equal({
      status: 'ready',
      reasons: [],
      warnings: [],
    })
    bank.answer = (_request, response) => json(response, {})
    await apply(gateway.relayUrl)
    await call(gateway.relayUrl + APPLICATIONS, { body: '{}' })
    const metrics = (await get('/metrics')).body
    expect(metrics).to.match(
      /sealgate_exchanges_total\{from="sunrise-platform",to="harbour-bank",route="POST \/credit\/applications",status="200",problem=""\} 1/,
    )
    expect(metrics).to.include('problem="credentials-missing"} 1')
    bank.received.length = 0
    bank.answer = (_request, response) => setTimeout(() => json(response, {}), 400)
    const pending = apply(gateway.relayUrl)
    while (bank.received.length === 0) await sleep(10)
    const ended = gateway.kill('SIGTERM')
    await sleep(100)
    const draining = await get('/readyz')
    expect(draining.status).to.equal(503)
    expect(draining.body).to.include('shutting down')
    const answer = await pending
    expect(answer.status).to.equal(200)
    expect(await ended).to.equal(0)
    const record = await findRecord(installation.config(), answer.headers['evidence-id'])
    expect(record.outcome).to.equal('answered')
  })

  it('runs at the lowest priority, where the thread of the log can go no lower', async () => {
    const gateway = await spawnGateway(installation.configFile, {}, ['nice', '-n', '19'])
    const { status, headers } = await apply(gateway.relayUrl)
    expect(status).to.equal(200)
    await findRecord(installation.config(), headers['evidence-id'])
    expect(await gateway.kill('SIGTERM')).to.equal(0)
  })

  it('makes and rotates keys without showing them, and never overwrites', async () => {
    const run = (name: string) => runCommand(['keys', name, '--config', installation.configFile])
    expect((await run('generate')).stdout).to.match(/^1\te1\tcurrent\t/)
    const again = await run('generate')
    expect(again.code).to.equal(2)
    expect(again.stderr).to.not.match(/^\s+at /m)
    expect((await run('rotate')).stdout).to.match(/^1\te1\taccepted\t.*\n2\t\S+\tcurrent\t/)
  })
})

import { expect } from 'chai'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportJWK, generateKeyPair } from 'jose'
import { type Bank, startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { type GatewayProcess, runCommand, spawnGateway } from '../support/process.ts'
import { findFitting, findRecord } from '../support/records.ts'

const BODY = readFileSync(new URL('../fixtures/lending/02-application.json', import.meta.url))
const FIELD = 'f:$.applicant.mobile'
const { applicant } = JSON.parse(BODY.toString()) as { applicant: { mobile: string } }

describe('custody in the running product', function () {
  this.timeout(60_000)
  let bank: Bank
  let installation: Installation
  let gateway: GatewayProcess
  let rid: string

  before(async () => {
    bank = await startBank()
    installation = await createInstallation(bank.url)
    const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { extractable: true })
    writeFileSync(inFolder('custodian.private.json'), JSON.stringify(await exportJWK(privateKey)))
    writeFileSync(inFolder('keys/custodian.json'), JSON.stringify(await exportJWK(publicKey)))
    const text = readFileSync(installation.configFile, 'utf8')
    const custody = 'custody: { custodian: keys/custodian.json }\n'
    writeFileSync(installation.configFile, custody + text)
    const policy = readFileSync(inFolder('policies/credit-application.yaml'), 'utf8')
    const sealed = policy.replace('custody: none', 'custody: sealed')
    installation.addPolicy('credit-application.yaml', sealed)
    gateway = await spawnGateway(installation.configFile)
    rid = await apply()
  })
  after(async () => {
    await gateway.kill('SIGTERM')
    installation.remove()
    await bank.close()
  })

  const inFolder = (...names: string[]) => join(installation.folder, ...names)
  const config = () => ['--config', installation.configFile]
  const admin = () => [...config(), '--admin', gateway.adminUrl]
  const exportTo = (file: string) =>
    runCommand(['evidence', 'export', rid, ...config(), '--out', file])
  const verify = (file: string) =>
    runCommand(['verify', file, '--trust', inFolder('data/trust.json')])
  const reveal = (...more: string[]) =>
    runCommand([
      ...['reveal', rid, ...admin(), '--key', inFolder('custodian.private.json')],
      ...['--reason', 'court order 1', ...more],
    ])
  const findKind = (sought: string) =>
    findFitting(installation.config(), ({ kind }) => kind === sought)
  const apply = async () => {
    const { headers, status } = await call(`${gateway.relayUrl}/harbour-bank/credit/applications`, {
      body: BODY,
      headers: {
        authorization: `Bearer ${await installation.platform.jwt('harbour-bank')}`,
        'content-type': 'application/json',
      },
    })
    expect(status).to.equal(200)
    const evidence = String(headers['evidence-id'])
    await findRecord(installation.config(), evidence)
    return evidence
  }
  const custodyFiles = () =>
    readdirSync(inFolder('data/custody'), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && entry.name.startsWith(rid),
    )

  it('keeps originals as ciphertext, until the last day that the policy names', () => {
    const files = custodyFiles().filter(({ name }) => name.endsWith('.jwe'))
    expect(files.map(({ name }) => name).sort()).to.deep.equal([
      `${rid}.request.jwe`,
      `${rid}.response.jwe`,
    ])
    for (const { parentPath, name } of files) {
      expect(parentPath).to.match(/\/20\d\d-\d\d-\d\d$/)
      expect(readFileSync(join(parentPath, name), 'utf8'))
        .to.match(/^[\w-]+(\.[\w-]*){4}$/)
        .and.not.include(applicant.mobile)
    }
  })

  it('opens one field for the custodian, seals that before, and verify shows the field', async () => {
    const file = inFolder('record.json')
    await exportTo(file)
    const listed = await reveal()
    expect(listed.stdout).to.include(`${FIELD}\n`).and.not.include(applicant.mobile)
    const { code, stdout } = await reveal('--field', FIELD, '--into', file)
    expect(code).to.equal(0)
    expect(stdout).to.equal(`${FIELD}: "${applicant.mobile}"\n`)
    const verified = await verify(file)
    expect(verified.stdout).to.include(`"${applicant.mobile}"`)
    expect(verified.code).to.equal(0)
    const record = await findKind('reveal')
    expect(record).to.deep.include({ record: rid, reason: 'court order 1', fields: [FIELD] })
  })

  it('opens nothing with another key', async () => {
    const { privateKey } = await generateKeyPair('ECDH-ES', { extractable: true })
    writeFileSync(inFolder('other.json'), JSON.stringify(await exportJWK(privateKey)))
    const { code, stdout, stderr } = await reveal('--key', inFolder('other.json'))
    expect(stdout).to.equal('')
    expect(stderr).to.match(/^key-unusable: /)
    expect(code).to.equal(2)
  })

  // prettier-ignore
  const STRANGERS: { name: string; authorization?: string; want: string }[] = [
    { name: 'no secret',      want: 'credentials-missing' },
    { name: 'a wrong secret', authorization: `Bearer ${'A'.repeat(43)}`, want: 'credentials-invalid' },
    { name: 'another scheme', authorization: 'Basic YTpi', want: 'credentials-missing' },
  ]
  for (const { name, authorization, want } of STRANGERS) {
    it(`refuses ${name}`, async () => {
      const headers = authorization === undefined ? {} : { authorization }
      const body = JSON.stringify({ record: rid, rule: 'x' })
      const answer = await call(`${gateway.adminUrl}/api/erase`, { headers, body })
      expect(answer.status).to.equal(401)
      expect(JSON.parse(answer.body)).to.include({ type: `/problems/${want}` })
      expect(custodyFiles()).to.not.deep.equal([])
    })
  }

  it('keeps its secret in a file for the operator alone', () => {
    expect(statSync(inFolder('data/keys/admin.secret')).mode & 0o777).to.equal(0o600)
  })

  it('erases nothing while a hold stands', async () => {
    await runCommand(['evidence', 'hold', rid, ...admin(), '--reason', 'case 7'])
    const erased = await runCommand(['evidence', 'erase', rid, ...admin(), '--rule', 'request'])
    expect(erased.stdout).to.equal('0 originals destroyed, 2 kept by a hold\n')
    expect(erased.code).to.equal(1)
    const released = ['evidence', 'release', rid, ...admin(), '--reason', 'case 7 closed']
    expect((await runCommand(released)).code).to.equal(0)
  })

  it('erases, and verify then says INDETERMINATE, never FAILED', async () => {
    const rule = 'PIPL Art. 47 request'
    const erased = await runCommand(['evidence', 'erase', rid, ...admin(), '--rule', rule])
    expect(erased.stdout).to.equal('2 originals destroyed, 0 kept by a hold\n')
    expect(custodyFiles()).to.deep.equal([])
    await findKind('erase')
    const file = inFolder('erased.json')
    await exportTo(file)
    const { code, stdout } = await verify(file)
    expect(stdout).to.include('? erasure: INDETERMINATE: ').and.include(`under rule \`${rule}\``)
    expect(code).to.equal(0)
    const exported = JSON.parse(readFileSync(file, 'utf8')) as {
      [member: string]: unknown
    }
    const { erasures: _, stamps: __, timestampRoots: ___, ...other } = exported
    writeFileSync(file, JSON.stringify({ ...exported, erasures: [other] }))
    const forged = await verify(file)
    expect(forged.stdout).to.match(/^✗ erasure: an erasure that says nothing of this record/m)
    expect(forged.code).to.equal(1)
    const gone = await reveal('--field', FIELD)
    expect(gone.stderr).to.match(/custody holds nothing of this record/)
  })

  it('is refused without a custodian', async () => {
    const other = await createInstallation(bank.url)
    other.addPolicy(
      'credit-application.yaml',
      readFileSync(inFolder('policies/credit-application.yaml'), 'utf8'),
    )
    const running = await other.start()
    const answer = await call(`${running.relayUrl}/harbour-bank/credit/applications`, {
      body: BODY,
      headers: {
        authorization: `Bearer ${await other.platform.jwt('harbour-bank')}`,
        'content-type': 'application/json',
      },
    })
    expect(answer.status).to.equal(503)
    await running.close()
    other.remove()
  })
})

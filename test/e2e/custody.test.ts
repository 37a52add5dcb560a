import { expect } from 'chai'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportJWK, generateKeyPair } from 'jose'
import { startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { createInstallation } from '../support/installation.ts'
import { findFitting } from '../support/records.ts'
import { APPLICATION, APPLICATIONS, useRelay } from '../support/relay.ts'

const FIELD = 'f:$.applicant.mobile'
const { applicant } = JSON.parse(APPLICATION.toString()) as { applicant: { mobile: string } }

describe('custody in the running product', function () {
  this.timeout(60_000)
  const relay = useRelay(startBank)
  let rid: string

  before(async () => {
    await relay.addCustodian()
    const policy = readFileSync(relay.inFolder('policies/credit-application.yaml'), 'utf8')
    const sealed = policy.replace('custody: none', 'custody: sealed')
    relay.installation.addPolicy('credit-application.yaml', sealed)
    await relay.spawn()
    rid = await relay.apply()
    await relay.recordOf(rid)
  })

  const admin = () => ['--admin', relay.gateway.adminUrl]
  const exportTo = (file: string) => relay.run('evidence', 'export', rid, '--out', file)
  const reveal = (...more: string[]) =>
    relay.run(
      ...['reveal', rid, ...admin(), '--key', relay.inFolder('custodian.json')],
      ...['--reason', 'court order 1', ...more],
    )
  const findKind = (sought: string) =>
    findFitting(relay.installation.config(), ({ kind }) => kind === sought)
  const custodyFiles = () =>
    readdirSync(relay.inFolder('data/custody'), { recursive: true, withFileTypes: true }).filter(
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
    const file = relay.inFolder('record.json')
    await exportTo(file)
    const listed = await reveal()
    expect(listed.stdout).to.include(`${FIELD}\n`).and.not.include(applicant.mobile)
    const { code, stdout } = await reveal('--field', FIELD, '--into', file)
    expect(code).to.equal(0)
    expect(stdout).to.equal(`${FIELD}: "${applicant.mobile}"\n`)
    const verified = await relay.verify(file)
    expect(verified.stdout).to.include(`"${applicant.mobile}"`)
    expect(verified.code).to.equal(0)
    const record = await findKind('reveal')
    expect(record).to.deep.include({ record: rid, reason: 'court order 1', fields: [FIELD] })
  })

  it('opens nothing with another key', async () => {
    const { privateKey } = await generateKeyPair('ECDH-ES', { extractable: true })
    writeFileSync(relay.inFolder('other.json'), JSON.stringify(await exportJWK(privateKey)))
    const { code, stdout, stderr } = await reveal('--key', relay.inFolder('other.json'))
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
      const answer = await call(`${relay.gateway.adminUrl}/api/erase`, { headers, body })
      expect(answer.status).to.equal(401)
      expect(JSON.parse(answer.body)).to.include({ type: `/problems/${want}` })
      expect(custodyFiles()).to.not.deep.equal([])
    })
  }

  it('keeps its secret in a file for the operator alone', () => {
    expect(statSync(relay.inFolder('data/keys/admin.secret')).mode & 0o777).to.equal(0o600)
  })

  it('erases nothing while a hold stands', async () => {
    await relay.run('evidence', 'hold', rid, ...admin(), '--reason', 'case 7')
    const erased = await relay.run('evidence', 'erase', rid, ...admin(), '--rule', 'request')
    expect(erased.stdout).to.equal('0 originals destroyed, 2 kept by a hold\n')
    expect(erased.code).to.equal(1)
    const released = ['evidence', 'release', rid, ...admin(), '--reason', 'case 7 closed']
    expect((await relay.run(...released)).code).to.equal(0)
  })

  it('erases, and verify then says INDETERMINATE, never FAILED', async () => {
    const rule = 'PIPL Art. 47 request'
    const erased = await relay.run('evidence', 'erase', rid, ...admin(), '--rule', rule)
    expect(erased.stdout).to.equal('2 originals destroyed, 0 kept by a hold\n')
    expect(custodyFiles()).to.deep.equal([])
    await findKind('erase')
    const file = relay.inFolder('erased.json')
    await exportTo(file)
    const { code, stdout } = await relay.verify(file)
    expect(stdout).to.include('? erasure: INDETERMINATE: ').and.include(`under rule \`${rule}\``)
    expect(code).to.equal(0)
    const exported = JSON.parse(readFileSync(file, 'utf8')) as {
      [member: string]: unknown
    }
    const { erasures: _, stamps: __, timestampRoots: ___, ...other } = exported
    writeFileSync(file, JSON.stringify({ ...exported, erasures: [other] }))
    const forged = await relay.verify(file)
    expect(forged.stdout).to.match(/^✗ erasure: an erasure that says nothing of this record/m)
    expect(forged.code).to.equal(1)
    const gone = await reveal('--field', FIELD)
    expect(gone.stderr).to.match(/custody holds nothing of this record/)
  })

  it('is refused without a custodian', async () => {
    const other = await createInstallation(relay.recipient.url)
    other.addPolicy(
      'credit-application.yaml',
      readFileSync(relay.inFolder('policies/credit-application.yaml'), 'utf8'),
    )
    const running = await other.start()
    const answer = await call(`${running.relayUrl}${APPLICATIONS}`, {
      body: APPLICATION,
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

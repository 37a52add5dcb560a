import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { readZip } from '../../evidence/dossier/zip.ts'
import { startBank } from '../support/bank.ts'
import { runCommand } from '../support/process.ts'
import { findFitting } from '../support/records.ts'
import { APPLICATION, useRelay } from '../support/relay.ts'

const FIELD = 'f:$.applicant.mobile'
const { applicant, applicationId } = JSON.parse(APPLICATION.toString()) as {
  applicant: { mobile: string }
  applicationId: string
}

describe('a dossier from the running product', function () {
  this.timeout(180_000)
  const relay = useRelay(startBank)
  let rids: string[]
  let policies: string[]

  before(async () => {
    await relay.addCustodian()
    relay.configure('timestamp: { authorities: [ embedded ], interval_ms: 1000 }\n')
    await relay.spawn()
    const policy = readFileSync(relay.inFolder('policies/credit-application.yaml'), 'utf8')
    const first = await apply()
    const next = policy.replace('custody: none', 'custody: sealed').replace(/^version: (\d+)$/m, (_, n: string) => `version: ${Number(n) + 1}`) // prettier-ignore
    policies = [policy, next]
    relay.installation.addPolicy('credit-application.yaml', next)
    await findFitting(relay.installation.config(), ({ kind, policy: named }) => kind === 'policy' && (named as { version: number }).version === versionOf(next)) // prettier-ignore
    rids = [first, await apply()]
  })

  const apply = async () => (await relay.recordOf(await relay.apply())).rid
  const versionOf = (text: string) => Number(/^version: (\d+)$/m.exec(text)?.[1])
  const exportTo = (name: string, ...more: string[]) =>
    relay.run('evidence', 'export', ...more, '--out', relay.inFolder(name))
  const verify = (name: string, ...more: string[]) => relay.verify(relay.inFolder(name), ...more)
  const reveal = (rid: string, reason: string, field: string, into: string) =>
    relay.run(
      ...['reveal', rid, '--admin', relay.gateway.adminUrl, '--reason', reason],
      ...['--key', relay.inFolder('custodian.json'), '--field', field],
      ...['--into', relay.inFolder(into)],
    )
  const files = (name: string) => readZip(readFileSync(relay.inFolder(name)))

  it('holds all records of a case, found by one of them or by its number, and is valid', async () => {
    for (let tries = 0; tries < 50; tries++) {
      await exportTo('case.zip', '--case', rids[0] ?? '')
      if ([...files('case.zip').keys()].some((name) => name.startsWith('timestamps/'))) break
      await sleep(200)
    }
    const { code, stdout } = await verify('case.zip')
    expect(stdout).to.match(/^VALID dossier of 2 records$/m)
    expect(stdout).to.match(/^✓ timestamp .*a development authority/m)
    expect(stdout)
      .to.match(/^✓ revocation /m)
      .and.match(/^✓ coverage/m)
    expect(code).to.equal(0)
    await exportTo('link.zip', '--link', `application=${applicationId}`)
    const records = (name: string) => [...files(name).keys()].filter((each) => each.startsWith('records/')) // prettier-ignore
    expect(records('link.zip')).to.deep.equal(records('case.zip'))
    expect(records('case.zip')).to.deep.equal(rids.map((rid) => `records/${rid}.jws`).sort())
    expect(statSync(relay.inFolder('case.zip')).mode & 0o777).to.equal(0o600)
    expect(readFileSync(relay.inFolder('link.zip'), 'latin1')).to.not.include(applicationId)
  })

  it('holds every policy version that the records name, byte for byte', () => {
    const held = files('case.zip')
    for (const text of policies) {
      const digest = createHash('sha256').update(text).digest('hex')
      expect(Buffer.from(held.get(`policies/${digest}.yaml`) ?? []).toString()).to.equal(text)
    }
  })

  it('is the same bytes when nothing has changed', async () => {
    await relay.stop()
    await exportTo('one.zip', ...rids)
    await exportTo('two.zip', ...rids.toReversed())
    expect(
      readFileSync(relay.inFolder('one.zip')).equals(readFileSync(relay.inFolder('two.zip'))),
    ).to.equal(true)
    await relay.spawn()
  })

  it('takes a span of time, and every record in between when it is to be complete', async () => {
    const whole = await exportTo('span.zip', '--since', '2020-01-01T00:00:00Z', '--complete')
    expect(whole.stderr).to.equal('')
    const { stdout, code } = await verify('span.zip')
    expect(stdout).to.match(/^✓ order: .*records 1 to \d+, follow each other; none is left out/m)
    expect(code).to.equal(0)
    const none = await exportTo('none.zip', '--until', '2020-01-01T00:00:00Z')
    expect(none.stderr).to.match(/no record is found/)
    expect(none.code).to.equal(2)
  })

  it('opens what a party knows, and what custody keeps, one field alone', async () => {
    await exportTo('open.zip', ...rids, '--open', `${FIELD}=${applicant.mobile}`)
    const known = await verify('open.zip')
    expect(known.stdout.match(new RegExp(`"${applicant.mobile}"`, 'g'))).to.have.length(1)
    const kept = await reveal(rids[1] ?? '', 'court order 1', FIELD, 'open.zip')
    expect(kept.stderr).to.equal('')
    const both = await verify('open.zip')
    expect(both.stdout.match(new RegExp(`"${applicant.mobile}"`, 'g'))).to.have.length(2)
    expect(both.stdout).to.not.include('idNumber`')
    expect(both.code).to.equal(0)
  })

  it("opens the URL, a body digest and the headers alone too, from the party's archive or from custody", async () => {
    const [first = '', second = ''] = rids
    const digest = createHash('sha256').update(APPLICATION).digest('base64url')
    // prettier-ignore
    const OPENED = [
      { name: 'url',         value: '/harbour-bank/credit/applications' },
      { name: 'body_sha256', value: digest },
    ]
    for (const { name, value } of OPENED) {
      const made = await exportTo('alone.zip', first, '--open', `${name}=${value}`)
      expect(made.stderr).to.equal('')
      const { stdout, code } = await verify('alone.zip')
      expect(stdout.match(/^✓ disclosure/gm)).to.have.length(1)
      expect(stdout).to.include(`the salted digest of \`${name}\` stands in the record: "${value}"`)
      expect(code).to.equal(0)
      const wrong = await exportTo('wrong.zip', first, '--open', `${name}=${value}x`)
      expect(wrong.stderr).to.match(/no record of these commits to that value/)
    }
    await exportTo('kept.zip', second)
    await reveal(second, 'court order 3', 'headers', 'kept.zip')
    const headers = await verify('kept.zip')
    expect(headers.stdout).to.match(
      /`headers` stands in the record: .*"content-type","application\/json"/,
    )
    expect(headers.stdout).to.not.include('Bearer ')
  })

  it('names the failing check, with 1 when it is not valid and 2 when it is no dossier', async () => {
    const bytes = readFileSync(relay.inFolder('case.zip'))
    const at = bytes.indexOf('eyJhbGciOiJFUzI1NiI')
    writeFileSync(
      relay.inFolder('bad.zip'),
      bytes.fill(bytes[at + 40] === 65 ? 66 : 65, at + 40, at + 41),
    )
    const bad = await verify('bad.zip')
    expect(bad.stdout).to.match(/^✗ container: the zip holds something at byte \d+/m)
    expect(bad.code).to.equal(2)
    const other = await runCommand(['verify', relay.inFolder('case.zip')])
    expect(other.stdout).to.match(/^NOT ANCHORED/m)
    expect(other.code).to.equal(1)
  })

  it('writes its files into a new folder only', async () => {
    const folder = relay.inFolder('out')
    expect((await verify('case.zip', '--extract', folder)).code).to.equal(0)
    const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    expect(found.filter((entry) => entry.isFile())).to.have.length(files('case.zip').size)
    const again = await verify('case.zip', '--extract', folder)
    expect(again.stderr).to.match(/is not empty/)
    expect(again.code).to.equal(2)
    mkdirSync(relay.inFolder('clean'))
    expect((await verify('bad.zip', '--extract', relay.inFolder('clean'))).code).to.equal(2)
    expect(readdirSync(relay.inFolder('clean'))).to.deep.equal([])
  })

  it('says how to be asked', async () => {
    const nowhere = await relay.run('evidence', 'export', '--case', rids[0] ?? '')
    expect(nowhere.stderr).to.match(/--out FILE\.zip/)
    const nothing = await relay.run('evidence', 'export')
    expect(nothing.stderr).to.match(/--case, --link, --since/)
    expect(existsSync(relay.inFolder('none.zip'))).to.equal(false)
  })
})

import { expect } from 'chai'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { toPem } from '../../evidence/pem.ts'
import { createAuthority } from '../../evidence/x509-issue.ts'
import { startBank } from '../support/bank.ts'
import { runCommand } from '../support/process.ts'
import { useRelay } from '../support/relay.ts'

interface Export {
  stamps?: { proof: string; responses: string[] }[]
  timestampRoots?: string[]
}

describe('time stamps in the running product', function () {
  this.timeout(30_000)
  const relay = useRelay(startBank)
  let file: string
  let rid: string

  before(async () => {
    relay.configure('timestamp: { authorities: [ embedded ], interval_ms: 1000 }\n')
    file = relay.inFolder('record.json')
    await relay.spawn()
    rid = await relay.apply()
  })

  const exportTo = () => relay.run('evidence', 'export', rid, '--out', file)
  const readExport = () => JSON.parse(readFileSync(file, 'utf8')) as Export
  const verify = (trust = relay.inFolder('data/trust.json')) =>
    runCommand(['verify', file, '--trust', trust])

  it('says plainly that a record is not stamped, and verifies it all the same', async () => {
    await relay.recordOf(rid)
    await exportTo()
    const { stamps: _, timestampRoots: __, ...bare } = readExport()
    writeFileSync(file, JSON.stringify(bare))
    const { code, stdout } = await verify()
    expect(stdout).to.match(/^– timestamp: not stamped yet/m)
    expect(code).to.equal(0)
  })

  it('exports the first stamped checkpoint that holds the record, and verifies its time', async () => {
    for (let tries = 0; tries < 100; tries++) {
      await exportTo()
      if (readExport().stamps !== undefined) break
      await sleep(100)
    }
    const { code, stdout } = await verify()
    expect(stdout)
      .to.match(/^✓ timestamp: the checkpoint of \d+ records: existed by \d{4}-.*Z, says /m)
      .and.match(/, a development authority, whose time is untrusted/)
    expect(code).to.equal(0)
  })

  it('says NOT VALID when a time stamp is of other bytes, or by an authority that is not trusted', async () => {
    const good = readFileSync(file, 'utf8')
    const changed = readExport()
    const response = Buffer.from(changed.stamps?.[0]?.responses[0] ?? '', 'base64')
    response[response.length - 1] = (response.at(-1) ?? 0) ^ 1
    if (changed.stamps?.[0]) changed.stamps[0].responses = [response.toString('base64')]
    writeFileSync(file, JSON.stringify(changed))
    const tampered = await verify()
    expect(tampered.stdout).to.match(/^✗ timestamp: .*no good time stamp/m)
    expect(tampered.code).to.equal(1)
    writeFileSync(file, good)
    const trust = JSON.parse(readFileSync(relay.inFolder('data/trust.json'), 'utf8')) as object
    const other = relay.inFolder('trust.json')
    const { root } = await createAuthority(new Date())
    const timestampRoots = [toPem('CERTIFICATE', root.certificateDer)]
    writeFileSync(other, JSON.stringify({ ...trust, timestampRoots }))
    const untrusted = await verify(other)
    expect(untrusted.stdout).to.match(/^✗ timestamp: .*no good time stamp/m)
    expect(untrusted.code).to.equal(1)
  })
})

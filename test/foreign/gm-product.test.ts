import { expect } from 'chai'
import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseLeaf } from '../../evidence/log/entry.ts'
import { logStore, openLineReader, readNames } from '../../evidence/log/line.ts'
import { openFolderStore } from '../../evidence/log/store.ts'
import { logPlaces } from '../../gateway/places.ts'
import { type Bank, startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { type GatewayProcess, runCommand, spawnGateway } from '../support/process.ts'
import { checkLog, findRecord } from '../support/records.ts'
import { BOUNCY_CASTLE_PROBE, expectVerdicts } from './bouncycastle.ts'
import { describeForeign, makeFolder } from './tool.ts'
import { APPLICATION } from '../support/relay.ts'

describeForeign('the running product with `gm: on`, by BouncyCastle', BOUNCY_CASTLE_PROBE, () => {
  const folder = makeFolder()
  let bank: Bank
  let installation: Installation
  let gateway: GatewayProcess
  let record: string
  const run = (...args: string[]) => runCommand(args)
  const root = () => openFolderStore(logPlaces(installation.config()).log)

  before(async function () {
    this.timeout(60_000)
    bank = await startBank()
    installation = await createInstallation(bank.url)
    const more = 'gm: on\ntimestamp: { authorities: [ embedded ], interval_ms: 1000 }\n'
    appendFileSync(installation.configFile, more)
    gateway = await spawnGateway(installation.configFile)
    const { headers } = await call(`${gateway.relayUrl}/harbour-bank/credit/applications`, {
      body: APPLICATION,
      headers: {
        authorization: `Bearer ${await installation.platform.jwt('harbour-bank')}`,
        'content-type': 'application/json',
      },
    })
    const rid = String(headers['evidence-id'])
    await findRecord(installation.config(), rid)
    record = join(installation.folder, 'record.json')
    await run('evidence', 'export', rid, '--config', installation.configFile, '--out', record)
  })
  after(async () => {
    await gateway.kill('SIGTERM')
    installation.remove()
    folder.remove()
    await bank.close()
  })

  it('has SM3 digests in every leaf of a record, which fsck and verify check', async () => {
    const [view] = await openLineReader(root(), [])
    const leaves = (await view?.reader.bundle(0)) ?? []
    expect(leaves.map(({ leaf }) => parseLeaf(leaf)?.sm3?.length)).to.deep.equal(
      leaves.map(() => 43),
    )
    await checkLog(installation.config())
    const trust = ['--trust', join(installation.folder, 'data/trust.json')]
    expect((await run('verify', record, ...trust)).stdout).to.match(
      /^✓ leaf: .* and its SM3 digest /m,
    )
    const text = readFileSync(record, 'utf8')
    const other = join(installation.folder, 'other.json')
    writeFileSync(
      other,
      text.replace(/ sm3:(.)/, (_, first) => ` sm3:${first === 'A' ? 'B' : 'A'}`),
    )
    const { code, stdout } = await run('verify', other, ...trust)
    expect([code, stdout]).to.satisfy(() => code === 1 && /^✗ leaf: the leaf has SM3 digest/m.test(stdout)) // prettier-ignore
  })

  it('signs exports and stamped checkpoints; others verify them, and no changed ones', async () => {
    const store = logStore(root(), (await readNames(root()))[0] ?? '')
    let [signed] = await store.list('gm/')
    for (let tries = 0; signed === undefined && tries < 100; tries += 1) {
      await sleep(100)
      signed = (await store.list('gm/'))[0]
    }
    const size = /^gm\/(\d+)\.p7s$/.exec(signed ?? '')?.[1] ?? ''
    folder.put('checkpoint', (await store.get(`tsr/${size}.checkpoint`)) ?? '')
    folder.put('checkpoint.p7s', (await store.get(`gm/${size}.p7s`)) ?? '')
    for (const name of ['record.json', 'record.json.p7s']) {
      copyFileSync(join(installation.folder, name), join(folder.path, name))
    }
    folder.put('other', 'other')
    const pairs = ['checkpoint', 'record.json'].flatMap((name) => [`${name}.p7s`, name, `${name}.p7s`, 'other']) // prettier-ignore
    const want = ['checkpoint', 'record.json'].flatMap((name) => [`${name}.p7s valid`, `${name}.p7s refused`]) // prettier-ignore
    expectVerdicts('Sm2', pairs, want, folder.path)
    const printed = await run('gm', 'certificate', '--config', installation.configFile)
    const certificate = join(folder.path, folder.put('certificate', printed.stdout))
    const verify = (file: string) =>
      run('gm', 'verify', join(folder.path, file), join(folder.path, 'record.json.p7s'), '--certificate', certificate) // prettier-ignore
    expect((await verify('record.json')).code).to.equal(0)
    expect(await verify('other')).to.deep.include({ code: 1, stdout: 'NOT VALID\n' })
  }).timeout(60_000)
})

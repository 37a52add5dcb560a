import { expect } from 'chai'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FileReport } from '../../gateway/file/state.ts'
import { describeForeign } from '../foreign/tool.ts'
import { createInstallation, type Installation } from '../support/installation.ts'
import { type CommandProcess, runCommand, spawnGateway, spawnWorker } from '../support/process.ts'
import { checkLog, findRecord } from '../support/records.ts'
import { REDIS_PROBE, type RedisServer, startRedis } from '../workers/redis-server.ts'
import { fileOf, md5Of, POLICY, toGbk } from './support.ts'

describeForeign('sealgate file over Redis', REDIS_PROBE, () => {
  let redis: RedisServer
  let installation: Installation
  let worker: CommandProcess | undefined

  before(async () => {
    redis = await startRedis()
    installation = await createInstallation('http://127.0.0.1:9')
    installation.addPolicy('repayments.yaml', POLICY)
    const text = readFileSync(installation.configFile, 'utf8')
    writeFileSync(installation.configFile, `${text}queue: ${redis.url}\n`)
  })
  after(async () => {
    await worker?.kill('SIGTERM')
    await redis.stop()
    installation.remove()
  })

  it('needs no running gateway: a worker brings its records to the log', async () => {
    // The first start makes the keys.
    const gateway = await spawnGateway(installation.configFile)
    worker = await spawnWorker(installation.configFile)
    await gateway.kill('SIGTERM')
    const folder = join(installation.folder, 'files')
    mkdirSync(folder)
    const [input, output] = [join(folder, 'in.txt'), join(folder, 'out.txt')]
    const bytes = toGbk(fileOf(5))
    writeFileSync(input, bytes)
    writeFileSync(`${input}.md5`, md5Of(bytes))
    const args = ['file', input, output, '--route', 'repayments']
    const { code, stdout, stderr } = await runCommand([...args, '--config', installation.configFile]) // prettier-ignore
    expect(code, stderr).to.equal(0)
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as FileReport
    expect(report).to.include({ result: 'delivered', rows: 5 })
    const record = await findRecord(installation.config(), report.record)
    expect(record).to.deep.include({ kind: 'exchange', outcome: 'delivered' })
    await checkLog(installation.config())
  }).timeout(60_000)
})

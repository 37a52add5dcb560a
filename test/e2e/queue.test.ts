import { expect } from 'chai'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { logStore, readNames } from '../../evidence/log/line.ts'
import { openFolderStore } from '../../evidence/log/store.ts'
import { logPlaces } from '../../gateway/places.ts'
import { describeForeign } from '../foreign/tool.ts'
import { type Bank, json, startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { createInstallation, type Installation } from '../support/installation.ts'
import { decodeRuns, leaksIn } from '../support/leak.ts'
import { type CommandProcess, spawnGateway, spawnWorker } from '../support/process.ts'
import { checkLog, findRecord, readRecords } from '../support/records.ts'
import { dumpRedis, REDIS_PROBE, type RedisServer, startRedis } from '../workers/redis-server.ts'
import { APPLICATION, APPLICATIONS } from '../support/relay.ts'

const PLANTED = ['王小明', '11010519491231002X', '13800138000', '6217000012345678907']

describeForeign('a gateway and a worker over Redis', REDIS_PROBE, () => {
  let redis: RedisServer
  let bank: Bank
  let installation: Installation
  const running: CommandProcess[] = []

  before(async () => {
    redis = await startRedis()
    bank = await startBank()
    bank.answer = (_request, response) => json(response, { status: 'accepted' })
    installation = await createInstallation(bank.url)
    const text = readFileSync(installation.configFile, 'utf8')
    writeFileSync(installation.configFile, `${text}queue: ${redis.url}\n`)
  })
  after(async () => {
    for (const process of running) await process.kill('SIGTERM')
    await bank.close()
    await redis.stop()
    installation.remove()
  })

  it('hold no planted value in the queue, and lose nothing when worker and Redis are killed', async function () {
    this.timeout(30_000)
    const gateway = await spawnGateway(installation.configFile)
    running.push(gateway)
    const apply = async () => {
      const jwt = await installation.platform.jwt('harbour-bank')
      const headers = { authorization: `Bearer ${jwt}`, 'content-type': 'application/json' }
      return call(gateway.relayUrl + APPLICATIONS, {
        body: APPLICATION,
        headers,
      })
    }
    const first = await apply()
    expect(first.status, first.body).to.equal(200)

    // No worker runs yet: the record waits in Redis.
    let queued = await dumpRedis(redis.url)
    for (let tries = 0; !queued.includes('eyJ') && tries < 100; tries++) {
      await sleep(50)
      queued = await dumpRedis(redis.url)
    }
    expect(queued).to.include('eyJ') // A compact JWS begins so.
    expect(leaksIn(queued + decodeRuns(queued), PLANTED)).to.deep.equal([])

    const worker = await spawnWorker(installation.configFile)
    await findRecord(installation.config(), first.headers['evidence-id'])
    await worker.kill('SIGKILL')
    await redis.kill()
    const second = await apply()
    expect(second.status, second.body).to.equal(200)
    await redis.restart()
    running.push(await spawnWorker(installation.configFile))
    await findRecord(installation.config(), second.headers['evidence-id'])

    // Who appends to the log also has it stamped: here the worker, never the gateway.
    const root = openFolderStore(logPlaces(installation.config()).log)
    const [name = ''] = await readNames(root)
    const store = logStore(root, name)
    for (let tries = 0; tries < 100; tries++) {
      if ((await store.list('tsr/')).some((key) => key.endsWith('.embedded.tsr'))) break
      await sleep(50)
    }
    expect((await store.list('tsr/')).join()).to.match(/\.embedded\.tsr/)

    await checkLog(installation.config())
    const exchanges = (await readRecords(installation.config())).filter(
      ({ kind }) => kind === 'exchange',
    )
    expect(exchanges.map(({ rid }) => rid)).to.have.members([
      first.headers['evidence-id'],
      second.headers['evidence-id'],
    ])
  })
})

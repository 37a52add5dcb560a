import { expect } from 'chai'
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { createTimestampAuthority } from '../../evidence/timestamp/authority.ts'
import type { TimestampSource } from '../../evidence/timestamp/client.ts'
import { responseKey, stampedKey } from '../../evidence/timestamp/stamps.ts'
import { verifyTimestampResponse } from '../../evidence/timestamp/verify.ts'
import {
  createAuthority,
  generateKey,
  issueTimestampAuthority,
  keySigner,
  toIssuer,
} from '../../evidence/x509-issue.ts'
import {
  createStamper,
  startTimestampWorker,
  type TimestampPorts,
  type TimestampStore,
} from '../../workers/timestamp.ts'

const at = new Date('2026-11-24T10:00:00Z')
const { root, issuing } = await createAuthority(at)
const roots = [root.certificateDer]

describe('the time stamping worker', () => {
  let nowMs: number
  const clock: Clock = {
    wallUs: () => BigInt(at.getTime() + nowMs) * 1000n,
    monotonicNs: () => BigInt(nowMs) * 1_000_000n,
  }
  let files: Map<string, Uint8Array>
  let size: number
  let alarms: string[]
  let down: Set<string>
  let fault: string | undefined
  let ports: TimestampPorts

  /** Asserts the store's contract: stamped bytes and tokens are never rewritten. */
  const store: TimestampStore = {
    put: async (key, bytes) => {
      if (fault === `lost ${key}`) throw new Error('disk full')
      expect(files.has(key), key).to.equal(false)
      files.set(key, Uint8Array.from(bytes))
      if (fault === `applied ${key}`) throw new Error('connection lost')
    },
    get: async (key) => files.get(key),
    list: async (prefix) => [...files.keys()].filter((key) => key.startsWith(prefix)),
  }

  async function makeSource(name: string): Promise<TimestampSource> {
    const signer = keySigner(generateKey())
    const names = { commonName: name, organization: '某某征信有限公司', at, days: 30 }
    const certificateDer = await issueTimestampAuthority(toIssuer(issuing), signer.spki, names)
    const stamp = createTimestampAuthority({
      signer,
      certificateDer,
      chainDer: [issuing.certificateDer],
      clock,
    })
    return {
      name,
      roots,
      send: async (request) => {
        if (down.has(name)) throw new Problem('timestamp-unavailable', `\`${name}\`: no answer`)
        return stamp(request)
      },
    }
  }

  beforeEach(async () => {
    nowMs = 0
    files = new Map()
    size = 0
    alarms = []
    down = new Set()
    fault = undefined
    ports = {
      store,
      checkpoint: async () =>
        size === 0
          ? undefined
          : { size, bytes: Buffer.from(`origin\n${size}\nroot at ${nowMs}\n`) },
      sources: [await makeSource('tsa-1.example'), await makeSource('tsa-2.example')],
      clock,
      intervalMs: 60_000,
      recordsMax: 4096,
      alarm: (message) => alarms.push(message),
    }
  })

  const keys = () => [...files.keys()].sort()
  async function checkStamps(): Promise<void> {
    for (const key of keys().filter((name) => name.endsWith('.tsr'))) {
      const stamped = files.get(stampedKey(Number(key.slice(4).split('.')[0])))
      const response = files.get(key)
      if (stamped === undefined || response === undefined)
        throw new Error(`${key} has no stamped bytes`)
      expect((await verifyTimestampResponse(response, stamped, { roots })).reasons).to.deep.equal(
        [],
      )
    }
  }

  it('stamps the first checkpoint at once, with every authority', async () => {
    const stamper = await createStamper(ports)
    await stamper.step()
    expect(keys()).to.deep.equal([])
    size = 3
    await stamper.step()
    expect(keys()).to.deep.equal([
      'tsr/3.checkpoint',
      'tsr/3.tsa-1.example.tsr',
      'tsr/3.tsa-2.example.tsr',
    ])
    await checkStamps()
  })

  it('stamps again after 60 s or 4,096 records, and only when the log grew', async () => {
    const stamper = await createStamper(ports)
    size = 1
    await stamper.step()
    size = 4096
    nowMs = 59_999
    await stamper.step()
    expect(keys()).to.have.length(3)
    size = 4097
    await stamper.step()
    expect(keys()).to.include('tsr/4097.tsa-1.example.tsr')
    nowMs += 60_000
    await stamper.step()
    expect(keys()).to.have.length(6)
    size = 4098
    await stamper.step()
    expect(keys()).to.have.length(9)
    await checkStamps()
  })

  it('stamps at once on demand', async () => {
    const stamper = await createStamper(ports)
    size = 1
    await stamper.step()
    size = 2
    await stamper.now()
    expect(keys()).to.include('tsr/2.tsa-2.example.tsr')
  })

  it('goes on with one authority out, alarms once after ten minutes, and says when it is back', async () => {
    const stamper = await createStamper(ports)
    down.add('tsa-2.example')
    for (; nowMs < 1_200_000; nowMs += 1000) {
      size += 10
      await stamper.step()
    }
    expect(alarms).to.deep.equal(['no time stamp by `tsa-2.example` for ten minutes'])
    expect(keys().filter((key) => key.endsWith('tsa-1.example.tsr'))).to.have.length(20)
    down.clear()
    nowMs += 60_000
    await stamper.step()
    expect(alarms.slice(1)).to.deep.equal(['time stamping by `tsa-2.example` works again'])
    expect(keys()).to.include(responseKey(size, 'tsa-2.example'))
    await checkStamps()
  })

  it('forgets that the log could not be read, once it can be', async () => {
    let broken = true
    const checkpoint = async () => {
      if (broken) throw new Error('not readable')
      return ports.checkpoint()
    }
    const stamper = await createStamper({ ...ports, checkpoint })
    await stamper.step()
    broken = false
    nowMs = 60_000
    await stamper.step()
    broken = true
    nowMs = 3_600_000
    await stamper.step()
    expect(alarms).to.deep.equal([])
  })

  it('goes on after a restart where it was', async () => {
    size = 7
    await (await createStamper(ports)).step()
    const stamper = await createStamper(ports)
    await stamper.step()
    expect(keys()).to.have.length(3)
    size = 8
    await stamper.step()
    expect(keys()).to.have.length(6)
  })

  // prettier-ignore
  const FAULTS = ['lost tsr/3.checkpoint', 'applied tsr/3.checkpoint', 'lost tsr/3.tsa-1.example.tsr', 'applied tsr/3.tsa-1.example.tsr']
  for (const name of FAULTS) {
    it(`heals after: ${name}`, async () => {
      size = 3
      fault = name
      await (await createStamper({ ...ports, sources: ports.sources.slice(0, 1) })).step()
      await checkStamps()
      fault = undefined
      nowMs += 60_000
      const stamper = await createStamper(ports)
      await stamper.step()
      size = 4
      nowMs += 60_000
      await stamper.step()
      await checkStamps()
      expect(keys()).to.include('tsr/4.tsa-1.example.tsr')
    })
  }

  it('stamps the newest log and the one before it, until it is closed', async () => {
    const logs = [1, 2, 3].map((records) => {
      const text = `log.test/${records}\n${records}\n${'A'.repeat(43)}=\n\n\u2014 log.test/${records} AAAAAAA=\n`
      const own = new Map<string, Uint8Array>([['checkpoint', Buffer.from(text)]])
      const opened: TimestampStore = {
        put: async (key, bytes) => void own.set(key, bytes),
        get: async (key) => own.get(key),
        list: async (prefix) => [...own.keys()].filter((key) => key.startsWith(prefix)),
      }
      return { own, opened }
    })
    const worker = startTimestampWorker({
      ...ports,
      logs: async () => logs.map(({ opened }) => opened),
    })
    await worker.close()
    const stamped = logs.map(({ own }) =>
      [...own.keys()].filter((key) => key.endsWith('1.example.tsr')),
    )
    expect(stamped).to.deep.equal([[], ['tsr/2.tsa-1.example.tsr'], ['tsr/3.tsa-1.example.tsr']])
  })
})

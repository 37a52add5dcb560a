import { expect } from 'chai'
import { once } from 'node:events'
import { type Link, openSocket, type Pool, sweep, takeFree } from '../../../gateway/http/links.ts'
import { RELAY_LIMITS } from '../../../gateway/http/limits.ts'
import { type RawServer, startRawServer } from '../../support/raw-server.ts'

describe('kept connections', () => {
  let server: RawServer
  before(async () => {
    server = await startRawServer(() => {})
  })
  after(() => server.close())

  async function poolOf(...freedMs: number[]): Promise<Pool> {
    const pool: Pool = { base: new URL(server.url), links: new Set(), free: [], waiting: [], session: undefined } // prettier-ignore
    for (const at of freedMs) {
      const link: Link = { socket: openSocket(pool), connected: true, used: 1, freedMs: at, call: undefined } // prettier-ignore
      await once(link.socket, 'connect')
      pool.links.add(link)
      pool.free.push(link)
    }
    return pool
  }

  it('are given out newest first', async () => {
    const pool = await poolOf(1, 2)
    expect(takeFree(pool)?.freedMs).to.equal(2)
    expect(takeFree(pool)?.freedMs).to.equal(1)
    expect(takeFree(pool)).to.equal(undefined)
    for (const { socket } of pool.links) socket.destroy()
  })

  it('are not given out any more in the moment in which they are swept', async () => {
    const pool = await poolOf(Number.NEGATIVE_INFINITY, performance.now() + 60_000)
    sweep(pool, RELAY_LIMITS)
    const taken = takeFree(pool)
    expect(taken?.freedMs).to.be.greaterThan(0)
    expect(takeFree(pool)).to.equal(undefined)
    taken?.socket.destroy()
  })
})

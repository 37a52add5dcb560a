import { expect } from 'chai'
import { runKills } from './kill.ts'

describe('kill -9 under load', () => {
  it('loses no request that the bank saw', async function () {
    this.timeout(60_000)
    const seed = Number(process.env['SEALGATE_TEST_SEED'] ?? Date.now() % 1_000_000)
    const { missing, unrecorded, doubled, seenByBank } = await runKills(3, seed)
    expect({ seed, missing, unrecorded, doubled }).to.deep.equal({
      seed,
      missing: [],
      unrecorded: [],
      doubled: [],
    })
    expect(seenByBank).to.be.greaterThan(0)
  })
})

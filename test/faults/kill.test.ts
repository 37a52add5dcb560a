import { expect } from 'chai'
import { runKills } from './kill.ts'
import { runUploadKills } from './uploads.ts'

/** `npm run test:long` kills fifty times. */
const KILLS = Number(process.env['SEALGATE_TEST_KILLS'] ?? 3)

describe(`kill -9 under load, ${KILLS} times`, () => {
  const RUNS = [
    { name: 'loses no request that the bank saw', run: runKills },
    { name: 'has no resumable upload relayed twice, nor believed relayed', run: runUploadKills },
  ]
  for (const { name, run } of RUNS) {
    it(name, async function () {
      this.timeout(60_000 + KILLS * 20_000)
      const seed = Number(process.env['SEALGATE_TEST_SEED'] ?? Date.now() % 1_000_000)
      const { missing, unrecorded, doubled, seenByBank } = await run(KILLS, seed)
      const wrong = { seed, missing, unrecorded, doubled }
      expect(wrong).to.deep.equal({ seed, missing: [], unrecorded: [], doubled: [] })
      expect(seenByBank).to.be.greaterThan(0)
    })
  }
})

import { expect } from 'chai'
import { Problem } from '../../../base/problem.ts'
import { killAndCheck, twoProcesses } from './kill.ts'

describe('recorder under kill -9', () => {
  it('keeps a second process out while the first lives, and lets it in after', async function () {
    this.timeout(20_000)
    const { whileFirstLives, afterwards } = await twoProcesses()
    expect(whileFirstLives).to.be.instanceOf(Problem).with.property('slug', 'evidence-unavailable')
    expect((whileFirstLives as Problem).message).to.match(
      /another process uses the journal in `.*journal`/,
    )
    expect(afterwards).to.equal(undefined)
  })

  it('leaves one sealed record for each accepted exchange', async function () {
    this.timeout(60_000)
    const { accepted, unknown } = await killAndCheck(10)
    expect(accepted).to.be.greaterThan(100)
    expect(unknown).to.be.greaterThan(0)
  })
})

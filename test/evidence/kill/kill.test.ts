import { expect } from 'chai'
import { killAndCheck } from './kill.ts'

describe('recorder under kill -9', () => {
  it('leaves one sealed record for each accepted exchange', async function () {
    this.timeout(60_000)
    const { accepted, unknown } = await killAndCheck(10)
    expect(accepted).to.be.greaterThan(100)
    expect(unknown).to.be.greaterThan(0)
  })
})

import { expect } from 'chai'
import { retainUntil } from '../../gateway/custody.ts'

describe('retainUntil', () => {
  // prettier-ignore
  const CASES = [
    { from: '2026-11-24T23:59:59Z', retain: '5y',   want: '2031-11-24' },
    { from: '2028-02-29T00:00:00Z', retain: '5y',   want: '2033-03-01' },
    { from: '2026-11-24T00:00:00Z', retain: '18m',  want: '2028-05-24' },
    { from: '2026-01-31T00:00:00Z', retain: '1m',   want: '2026-03-03' },
    { from: '2026-11-24T00:00:00Z', retain: '400d', want: '2027-12-29' },
  ]
  for (const { from, retain, want } of CASES) {
    it(`keeps ${retain} from ${from} until ${want}, never a day less`, () => {
      expect(retainUntil(BigInt(Date.parse(from)) * 1000n, retain)).to.equal(want)
    })
  }
})

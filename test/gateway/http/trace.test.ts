import { expect } from 'chai'
import { nextTraceparent } from '../../../gateway/http/trace.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

// prettier-ignore
const CASES: { name: string; incoming: string | undefined; kept: boolean; flags: string }[] = [
  { name: 'keeps the trace',                    incoming: `00-${TRACE}-${PARENT}-01`,           kept: true,  flags: '01' },
  { name: 'clears flags it does not know',      incoming: `00-${TRACE}-${PARENT}-ff`,           kept: true,  flags: '01' },
  { name: 'keeps an unsampled one unsampled',   incoming: `00-${TRACE}-${PARENT}-00`,           kept: true,  flags: '00' },
  { name: 'restarts without one',               incoming: undefined,                            kept: false, flags: '00' },
  { name: 'restarts on a zero trace id',        incoming: `00-${'0'.repeat(32)}-${PARENT}-01`,  kept: false, flags: '00' },
  { name: 'restarts on a zero parent id',       incoming: `00-${TRACE}-${'0'.repeat(16)}-01`,   kept: false, flags: '00' },
  { name: 'restarts on upper case',             incoming: `00-${TRACE.toUpperCase()}-${PARENT}-01`, kept: false, flags: '00' },
  { name: 'restarts on version ff',             incoming: `ff-${TRACE}-${PARENT}-01`,           kept: false, flags: '00' },
  { name: 'restarts on a longer header',        incoming: `00-${TRACE}-${PARENT}-01-x`,         kept: false, flags: '00' },
]

describe('nextTraceparent', () => {
  for (const { name, incoming, kept, flags } of CASES) {
    it(name, () => {
      const made = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(
        nextTraceparent(incoming),
      )
      expect(made?.[1] === TRACE).to.equal(kept)
      expect(made?.[2]).to.not.equal(PARENT)
      expect(made?.[3]).to.equal(flags)
    })
  }

  it('never repeats itself', () => {
    expect(nextTraceparent(undefined)).to.not.equal(nextTraceparent(undefined))
  })
})

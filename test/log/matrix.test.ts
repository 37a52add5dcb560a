import { expect } from 'chai'
import type { SealedRecord } from '../../evidence/record.ts'
import { recordMaker } from './records.ts'
import { FAULTS, HOUR_US, slugOf, world } from './world.ts'

type World = ReturnType<typeof world>

/** What is in the log before, what fails, and what somebody else or somebody later appends. */
interface Records {
  readonly first: readonly SealedRecord[]
  readonly failed: readonly SealedRecord[]
  readonly other: readonly SealedRecord[]
}

/**
 * What comes on top of a failed call. Each leaves a log that can be opened; the deep check runs at
 * each step in between, over what readers see then.
 */
// prettier-ignore
const CIRCUMSTANCES: { name: string; act: (w: World, records: Records) => Promise<void> }[] = [
  { name: 'the process is killed',             act: async () => undefined },
  { name: 'the disk is full',                  act: diskFull },
  { name: 'the clock is set forward an hour',  act: clockForward },
  { name: 'the clock is set back an hour',     act: clockBack },
  { name: 'another sequencer goes on',         act: otherGoesOn },
  { name: 'another sequencer appends at once', act: async () => undefined },
]

describe('each step failing, in each circumstance', () => {
  for (const { name, act } of CIRCUMSTANCES) {
    for (const fault of FAULTS) {
      const after = fault.after === undefined ? '' : ` after ${fault.after}`
      it(`${fault.call} ${fault.effect}${after}, ${name}: one history, every record once`, async () => {
        const w = world()
        const [maker, stranger] = [recordMaker(81), recordMaker(82)]
        const records = { first: maker.many(10), failed: maker.many(300), other: stranger.many(7) }
        const log = await w.open()
        await log.append(records.first)
        // It has read the same state, and does not know that the first one fails.
        const rival = await w.open()

        w.faults.next = fault
        const together = name.endsWith('at once')
        const slugs = await Promise.all([
          slugOf(log.append(records.failed)),
          ...(together ? [slugOf(rival.append(records.other))] : []),
        ])
        expect(w.faults.next, 'the call that was to fail was made').to.equal(undefined)
        expect(slugs.join()).to.match(/^(not a problem: undefined|log-unavailable)(,(not a problem: undefined|log-unavailable))?$/) // prettier-ignore
        await checkPublished(w)
        await act(w, records)
        await checkPublished(w)

        const again = await w.open()
        const { first, failed, other } = records
        const positions = await again.append([...first, ...failed, ...other])
        expect([...positions].sort((a, b) => a - b)).to.deep.equal(
          Array.from({ length: 317 }, (_, at) => at),
        )
        expect(positions.slice(0, 10)).to.deep.equal(first.map((_, at) => at))
        await w.check(317)
        await w.open()
      })
    }
  }
})

/** What is published is whole, whatever it is. */
async function checkPublished(w: World): Promise<void> {
  const text = w.store.files.get('checkpoint')?.toString() ?? ''
  await w.check(Number(text.split('\n')[1]))
}

async function diskFull(w: World, { other }: Records): Promise<void> {
  w.faults.full = true
  // It opens only when there is nothing to write; then it takes nothing.
  const slug = await slugOf(w.open().then((log) => log.append(other)))
  expect(slug).to.match(/^log-unavailable$|^not a problem: Error: ENOSPC/)
  await checkPublished(w)
  w.faults.full = false
}

async function clockForward(w: World, { other }: Records): Promise<void> {
  w.time.us += HOUR_US
  await (await w.open()).append(other)
  await checkPublished(w)
  // Once the clock is right again, the log waits until the time of its last checkpoint has come.
  w.time.us -= HOUR_US
  expect(await slugOf(w.open())).to.equal('log-unavailable')
  await checkPublished(w)
  w.time.us += HOUR_US
}

async function clockBack(w: World): Promise<void> {
  w.time.us -= HOUR_US
  expect(await slugOf(w.open())).to.equal('log-unavailable')
  await checkPublished(w)
  w.time.us += HOUR_US
}

/** The other one finds that the lock has moved, or wins; then it opens again, which recovers. */
async function otherGoesOn(w: World, { other }: Records): Promise<void> {
  const [one, two] = [await w.open(), await w.open()]
  await one.append(other.slice(0, 3))
  expect(await slugOf(two.append(other))).to.equal('log-unavailable')
  await checkPublished(w)
}

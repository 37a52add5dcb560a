import { expect } from 'chai'
import { Problem } from '../../base/problem.ts'
import type { SealedRecord } from '../../evidence/record.ts'
import { recordMaker } from './records.ts'
import { FAULTS, HOUR_US, slugOf, world } from './world.ts'

/** Batches that end inside a tile, at its end, and beyond it. */
const SIZES = [3, 256 - 10, 300]

describe('sequencer under faults', () => {
  for (const fault of FAULTS) {
    for (const size of SIZES) {
      const name = `${fault.call} ${fault.effect}${fault.after === undefined ? '' : ` after ${fault.after}`}, ${size} records`
      it(`survives ${name}`, async () => {
        const { faults, open, check, loseIndex } = world()
        const maker = recordMaker(41)
        let log = await open()
        const [first, second, third] = [maker.many(10), maker.many(size), maker.many(5)]
        await log.append(first)

        faults.next = fault
        const failed = await slugOf(log.append(second))
        if (faults.next === undefined) {
          expect(failed).to.equal('log-unavailable')
          // A log that failed stays shut: nobody knows what it holds.
          expect(await slugOf(log.append(third))).to.equal('log-unavailable')
        }
        faults.next = undefined
        const published = log.reader().checkpoint.size
        expect(published).to.be.oneOf([10, 10 + size])

        // The process dies and comes back, once with its index and once without.
        log = await open()
        await check(log.reader().checkpoint.size)
        loseIndex()
        log = await open()
        expect(await log.append(second)).to.deep.equal(positions(second, 10))
        await check(10 + size)
        expect(await log.append([...first, ...third])).to.deep.equal([
          ...positions(first, 0),
          ...positions(third, 10 + size),
        ])
        await check(15 + size)
      })
    }
  }

  it('recovers although the recovery itself fails, at every step', async () => {
    for (const fault of FAULTS.filter(({ call }) =>
      ['tile', 'checkpoint', 'index'].includes(call),
    )) {
      const { faults, open, check } = world()
      const maker = recordMaker(42)
      const log = await open()
      await log.append(maker.many(250))
      faults.next = { call: 'tile', effect: 'lost' }
      await slugOf(log.append(maker.many(20)))
      faults.next = fault
      await open().catch(() => undefined)
      faults.next = undefined
      expect((await open()).reader().checkpoint.size).to.equal(270)
      await check(270)
    }
  })

  it('refuses a clock that stands behind the last checkpoint, and goes on when it is right', async () => {
    const { time, open, check } = world()
    const maker = recordMaker(43)
    const log = await open()
    await log.append(maker.many(2))
    time.us -= HOUR_US
    const late = maker.many(2)
    expect(await slugOf(log.append(late))).to.equal('log-unavailable')
    expect(await slugOf(open())).to.equal('log-unavailable')
    await check(2)
    time.us += 2n * HOUR_US
    expect(await log.append(late)).to.deep.equal([2, 3])
    await check(4)
  })

  it('lets one of two sequencers win, and the other one start again', async () => {
    const { open, check } = world()
    const [ours, theirs] = [recordMaker(44), recordMaker(45)]
    const [one, two] = [await open(), await open()]
    const [a, b] = [ours.many(3), theirs.many(4)]
    await one.append(a)
    expect(await slugOf(two.append(b))).to.equal('log-unavailable')
    await check(3)
    const again = await open()
    expect(await again.append([...b, ...a])).to.deep.equal([3, 4, 5, 6, 0, 1, 2])
    await check(7)
  })

  it('keeps one history when two sequencers append at the same moment', async () => {
    const { open, check } = world()
    const [ours, theirs] = [recordMaker(46), recordMaker(47)]
    const [one, two] = [await open(), await open()]
    const [a, b] = [ours.many(300), theirs.many(300)]
    const outcomes = await Promise.all([slugOf(one.append(a)), slugOf(two.append(b))])
    expect(outcomes.filter((slug) => slug === 'log-unavailable')).to.have.length(1)
    const again = await open()
    await again.append([...a, ...b])
    await check(600)
  })

  // prettier-ignore
  const REFUSED: { name: string; harm: (w: ReturnType<typeof world>) => void; want: string }[] = [
    { name: 'a lock store restored from a backup', harm: ({ lock }) => { lock.state = lock.before }, want: 'the published checkpoint has 8 records, the lock store 4' },
    { name: 'an empty lock store',                 harm: ({ lock }) => { lock.state = undefined },   want: 'the lock store has none' },
    { name: 'a log restored from a backup',        harm: ({ store }) => { dropAfter(store.files) },  want: 'no staging bundle' },
    { name: 'a lost tile',                         harm: ({ store }) => { store.files.delete('tile/0/000.p/8') }, want: '`tile/0/000.p/8` is missing' },
    { name: 'a changed tile',                      harm: ({ store }) => { flip(store.files, 'tile/0/000.p/8') }, want: 'do not hash to the root' },
    { name: 'a changed checkpoint',                harm: ({ store }) => { flip(store.files, 'checkpoint') }, want: 'the published checkpoint' },
    { name: 'a cut record bundle',                 harm: ({ store }) => { cut(store.files, 'record/000.p/8') }, want: '`record/000.p/8` ends inside item 7' },
  ]
  for (const { name, harm, want } of REFUSED) {
    it(`refuses ${name}`, async () => {
      const w = world()
      const log = await w.open()
      const maker = recordMaker(48)
      await log.append(maker.many(4))
      await log.append(maker.many(4))
      harm(w)
      w.loseIndex()
      const error = await w.open().catch((cause: unknown) => cause)
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'log-inconsistent')
      expect(String(error)).to.include(want)
    })
  }
})

function positions(records: readonly SealedRecord[], from: number): number[] {
  return records.map((_, at) => from + at)
}

/** What a backup taken after the first batch would bring back. */
function dropAfter(files: Map<string, Buffer>): void {
  for (const key of [...files.keys()]) if (!key.includes('.p/4')) files.delete(key)
}

function flip(files: Map<string, Buffer>, key: string): void {
  const bytes = files.get(key) ?? Buffer.alloc(1)
  files.set(key, Buffer.from(bytes.with(20, bytes.readUInt8(20) ^ 1)))
}

function cut(files: Map<string, Buffer>, key: string): void {
  files.set(key, files.get(key)?.subarray(0, -1) ?? Buffer.alloc(0))
}

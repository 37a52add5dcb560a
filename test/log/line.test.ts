import { expect } from 'chai'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { openSqliteIndex } from '../../evidence/index/sqlite.ts'
import { readLogVerifiers } from '../../evidence/log/keys.ts'
import { parseLeaf } from '../../evidence/log/entry.ts'
import { fsckLine } from '../../evidence/log/fsck-line.ts'
import { compareNames, keysOf, logName, successorName } from '../../evidence/log/line-name.ts'
import { logAt, logStore, openLineReader, readNames } from '../../evidence/log/line.ts'
import { openLockStore } from '../../evidence/log/lock.ts'
import { openLine, succeed } from '../../evidence/log/open-line.ts'
import { indexPath, type LogPlaces, openLog } from '../../evidence/log/open.ts'
import { openFolderStore } from '../../evidence/log/store.ts'
import { recordMaker } from './records.ts'

const ORIGIN = 'log.test/evr'

describe('names of logs', () => {
  // prettier-ignore
  const TABLE: { time: string; want: string }[] = [
    { time: '2026-01-01T00:00:00Z',     want: '2026h1' },
    { time: '2026-06-30T23:59:59.999Z', want: '2026h1' },
    { time: '2026-07-01T00:00:00Z',     want: '2026h2' },
    { time: '2026-12-31T23:59:59Z',     want: '2026h2' },
  ]
  for (const { time, want } of TABLE) {
    it(`${time} is in ${want}`, () =>
      expect(logName(BigInt(Date.parse(time)) * 1000n)).to.equal(want))
  }

  it('are in the order in which their logs follow each other', () => {
    const names = ['2026h1', '2026h2', '2026h2.2', '2026h2.10', '2027h1']
    expect(names.toReversed().sort(compareNames)).to.deep.equal(names)
    expect([successorName('2026h2'), successorName('2026h2.9')]).to.deep.equal(['2026h2.2', '2026h2.10']) // prettier-ignore
  })
})

describe('a line of logs', () => {
  let data: string
  let places: LogPlaces
  let nowUs: bigint
  const clock: Clock = { wallUs: () => nowUs++, monotonicNs: () => 0n }
  const at = (time: string): void => {
    nowUs = BigInt(Date.parse(time)) * 1000n
  }
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'sealgate-line-'))
    places = { data, log: join(data, 'log'), origin: ORIGIN, clock, batchMs: 0 }
    at('2026-12-31T23:59:00Z')
  })
  afterEach(() => rmSync(data, { recursive: true }))

  const root = () => openFolderStore(places.log)
  const keys = () => readLogVerifiers(join(data, 'keys'), ORIGIN)
  const fsck = async () => {
    const lock = openLockStore(join(data, 'lock.sqlite'))
    const locked = async (origin: string) => (await lock.read(origin))?.checkpoint
    const options = {
      root: root(),
      origin: ORIGIN,
      keys: keys(),
      locked,
      progress: () => undefined,
    }
    return fsckLine(options).finally(() => lock.close())
  }
  const sizes = async () => (await fsck()).map(({ name, size }) => `${name} ${size}`)
  const complaint = (work: Promise<unknown>) =>
    work.then(
      () => 'sound',
      (error: unknown) => (error instanceof Problem ? `${error.slug}: ${error.message}` : 'a bug'),
    )
  const positions = async (rids: readonly string[]) => {
    const index = openSqliteIndex(indexPath(data))
    const rows = await Promise.all(rids.map((rid) => index.search({ rid })))
    await index.close()
    return rows.map(([row]) => row?.position)
  }

  it('turns to the next log in service, fixes the one before, and keeps every record once', async () => {
    const maker = recordMaker(71)
    const [first, second] = [maker.many(300), maker.many(10)]
    const log = await openLine(places)
    await log.append(first)
    at('2027-01-01T00:00:01Z')
    await log.append([...first.slice(290), ...second])
    await log.close()
    expect(await sizes()).to.deep.equal(['2026h2 300', '2027h1 11'])
    const views = await openLineReader(root(), keys())
    const { leaf, jws } = await logAt(views, 300).reader.record(0)
    expect(parseLeaf(leaf)?.kind).to.equal('turn')
    expect(jws).to.equal(views[0]?.reader.text)
    expect(views.map(({ logKeys }) => logKeys[0]?.name)).to.deep.equal(['log.test/evr/2026h2', 'log.test/evr/2027h1']) // prettier-ignore
    const rids = [first[0], first[299], second[0], second[9]].map((record) => record?.rid ?? '')
    expect(await positions(rids)).to.deep.equal([0, 299, 301, 310])
    // An index that was lost is filled from every log.
    for (const end of ['', '-wal', '-shm']) rmSync(indexPath(data) + end, { force: true })
    const again = await openLine(places)
    await again.append([...first, ...second].slice(0, 4096))
    await again.close()
    expect(await sizes()).to.deep.equal(['2026h2 300', '2027h1 11'])
    expect(await positions(rids)).to.deep.equal([0, 299, 301, 310])
  })

  it('turns at a start, also after years, and after a crash in the turn', async () => {
    const maker = recordMaker(72)
    const log = await openLine(places)
    await log.append(maker.many(3))
    await log.close()
    at('2028-08-01T00:00:00Z')
    await (await openLine(places)).close()
    expect(await sizes()).to.deep.equal(['2026h2 3', '2028h2 1'])
    // A crash in the turn: the lock store knows the next log, which has no leaf and no place in the list.
    at('2029-01-01T00:00:00Z')
    const next = { log: join(places.log, '2029h1'), origin: `${ORIGIN}/2029h1` }
    await (await openLog({ ...places, ...next })).close()
    expect(await readNames(root())).to.deep.equal(['2026h2', '2028h2'])
    await (await openLine(places)).close()
    expect(await sizes()).to.deep.equal(['2026h2 3', '2028h2 1', '2029h1 1'])
  })

  it('goes on in a successor after a restore, which says what was lost', async () => {
    const maker = recordMaker(73)
    const log = await openLine(places)
    await log.append(maker.many(5))
    cpSync(places.log, join(data, 'backup'), { recursive: true })
    const lost = maker.many(2)
    await log.append(lost)
    await log.close()
    rmSync(places.log, { recursive: true })
    cpSync(join(data, 'backup'), places.log, { recursive: true })
    rmSync(join(places.log, '2026h2/staging'), { recursive: true })
    expect(await complaint(openLine(places))).to.match(/^log-inconsistent: the lock store has 7 records/) // prettier-ignore
    expect(await succeed(places)).to.equal('2026h2.2')
    const again = await openLine(places)
    // What the journal still had is appended anew; what it had not is missing, and fsck says so.
    await again.append(lost)
    await again.append(maker.many(1))
    await again.close()
    const views = await openLineReader(root(), keys())
    expect(views.map(({ name, offset }) => [name, offset])).to.deep.equal([['2026h2', 0], ['2026h2.2', 5]]) // prettier-ignore
    const { leaf, jws } = await logAt(views, 5).reader.record(0)
    expect([parseLeaf(leaf)?.kind, jws.split('\n')[1]]).to.deep.equal(['restore', '7'])
    expect(await complaint(fsck())).to.equal('log-inconsistent: 2026h2.2: `log.test/evr/2026h2` has lost its last 2 records') // prettier-ignore
    at('2027-01-01T00:00:00Z')
    await (await openLine(places)).close()
    expect(await readNames(root())).to.deep.equal(['2026h2', '2026h2.2', '2027h1'])
  })

  it('finds a log whose predecessor was exchanged for another one', async () => {
    const log = await openLine(places)
    await log.append(recordMaker(74).many(3))
    at('2027-01-01T00:00:00Z')
    await log.append(recordMaker(75).many(3))
    await log.close()
    expect(await sizes()).to.deep.equal(['2026h2 3', '2027h1 4'])
    // The operator makes another first log, with the same keys, and puts it in the place of the true one.
    const other = { ...places, log: join(data, 'other'), data: join(data, 'elsewhere') }
    cpSync(join(data, 'keys'), join(other.data, 'keys'), { recursive: true })
    at('2026-12-31T23:59:00Z')
    const forged = await openLine(other)
    await forged.append(recordMaker(76).many(3))
    await forged.close()
    rmSync(join(places.log, '2026h2'), { recursive: true })
    cpSync(join(other.log, '2026h2'), join(places.log, '2026h2'), { recursive: true })
    const options = { root: root(), origin: ORIGIN, keys: keys(), locked: async () => undefined, progress: () => undefined } // prettier-ignore
    expect(await complaint(fsckLine(options))).to.match(/^log-inconsistent: 2027h1: the log follows another history of `log.test\/evr\/2026h2`/) // prettier-ignore
  })

  it('carries SM3 digests once it is told to, and fsck compares them', async () => {
    const maker = recordMaker(79)
    const plain = await openLine(places)
    await plain.append(maker.many(2))
    await plain.close()
    const both = await openLine({ ...places, sm3: true })
    await both.append(maker.many(2))
    await both.close()
    expect(await sizes()).to.deep.equal(['2026h2 4'])
    const [view] = await openLineReader(root(), keys())
    const leaves = (await view?.reader.bundle(0)) ?? []
    const lengths = leaves.map(({ leaf }) => parseLeaf(leaf)?.sm3?.length)
    expect(lengths).to.deep.equal([undefined, undefined, 43, 43])
    const file = join(places.log, '2026h2/tile/entries/000.p/4')
    const bytes = readFileSync(file)
    // `A`, or `B` in its place: a flipped bit may make a sign of no base64url.
    writeFileSync(file, bytes.with(bytes.length - 3, bytes.at(-3) === 0x41 ? 0x42 : 0x41))
    expect(await complaint(fsck())).to.equal('log-inconsistent: 2026h2: record 3 does not have the SM3 digest in its entry') // prettier-ignore
  })

  it('refuses a folder that is itself a log', async () => {
    const log = await openLine(places)
    await log.append(recordMaker(77).many(1))
    await log.close()
    const checkpoint = readFileSync(join(places.log, '2026h2/checkpoint'))
    writeFileSync(join(places.log, 'checkpoint'), checkpoint)
    expect(await complaint(openLine(places))).to.match(/^log-inconsistent: the folder of the logs is itself a log/) // prettier-ignore
  })

  it('is signed by keys that speak for every log of it, and for no other line', async () => {
    const log = await openLine(places)
    await log.append(recordMaker(78).many(1))
    await log.close()
    const names = (origin: string) => keysOf(keys(), origin).map(({ name }) => name)
    expect(names(`${ORIGIN}/2031h1.2`)).to.deep.equal([`${ORIGIN}/2031h1.2`, `${ORIGIN}/2031h1.2`])
    for (const origin of [
      'log.test/other/2026h2',
      `${ORIGIN}/2026h3`,
      `${ORIGIN}/2026h2/x`,
      `${ORIGIN}2026h2`,
    ]) {
      // prettier-ignore
      expect(names(origin), origin).to.deep.equal([])
    }
    expect((await logStore(root(), '2026h2').list('tile/')).length).to.be.greaterThan(0)
  })
})

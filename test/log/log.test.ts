import { expect } from 'chai'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Problem } from '../../base/problem.ts'
import { openSqliteIndex } from '../../evidence/index/sqlite.ts'
import { openLogKeys } from '../../evidence/log/keys.ts'
import { EMPTY_ROOT, leafHash, verifyInclusion } from '../../evidence/log/merkle.ts'
import { indexPath, type LogPlaces, openLog } from '../../evidence/log/open.ts'
import { parseProof } from '../../evidence/log/proof.ts'
import { openReader } from '../../evidence/log/reader.ts'
import { openFolderStore } from '../../evidence/log/store.ts'
import { checkLog } from './check.ts'
import { recordMaker } from './records.ts'

const ORIGIN = 'log.test/evr/2026h2'

describe('log in a folder', () => {
  let places: LogPlaces
  beforeEach(() => {
    const data = mkdtempSync(join(tmpdir(), 'sealgate-log-'))
    places = { data, log: join(data, 'log'), origin: ORIGIN, batchMs: 0 }
  })
  afterEach(() => rmSync(places.data, { recursive: true }))

  it('appends, closes, opens again and goes on', async () => {
    const maker = recordMaker(1)
    const first = maker.many(300)
    let log = await openLog(places)
    expect(await log.append(first)).to.deep.equal(first.map((_, at) => at))
    await log.close()
    log = await openLog(places)
    expect(await log.append(maker.many(3))).to.deep.equal([300, 301, 302])
    // A record seen again keeps its first position.
    expect(await log.append(first.slice(7, 9))).to.deep.equal([7, 8])
    await log.close()
    expect((await checkLog(places)).size).to.equal(303)
  })

  it('pools concurrent calls and answers each with its own positions', async () => {
    const maker = recordMaker(2)
    const calls = Array.from({ length: 20 }, () => maker.many(30))
    const log = await openLog(places)
    const positions = await Promise.all(calls.map((records) => log.append(records)))
    await log.close()
    expect(positions.flat()).to.deep.equal(Array.from({ length: 600 }, (_, at) => at))
    expect((await checkLog(places)).size).to.equal(600)
  })

  it('refuses other bytes under a known id or seq, and keeps the rest of the call', async () => {
    const [honest, forger] = [recordMaker(3), recordMaker(3)]
    const [one, two, three] = [honest.next(), honest.next(), honest.next()]
    const forged = forger.next({ route: 'GET /other' })
    const log = await openLog(places)
    await log.append([one])
    const error = await rejection(log.append([forged, two]))
    expect(error).to.be.instanceOf(Problem).with.property('slug', 'job-invalid')
    expect(String(error)).to.include(`\`${one.rid}\` at position 0`)
    const lying = await rejection(log.append([{ ...three, seq: 9 }, three]))
    expect(String(lying)).to.include('contradicts its payload')
    await log.close()
    expect((await checkLog(places)).size).to.equal(3)
  })

  it('keeps keys and lock private, and no stale partial record bundle', async () => {
    const log = await openLog(places)
    const maker = recordMaker(4)
    for (let batch = 0; batch < 5; batch += 1) await log.append(maker.many(60))
    await log.close()
    for (const file of ['keys/log-ed25519.pem', 'keys/log-ml-dsa-44.pem', 'lock.sqlite']) {
      expect(statSync(join(places.data, file)).mode & 0o077, file).to.equal(0)
    }
    expect(readdirSync(join(places.log, 'record')).sort()).to.deep.equal(['000', '001.p'])
    expect(readdirSync(join(places.log, 'record/001.p'))).to.deep.equal(['44'])
    expect(readdirSync(join(places.log, 'tile/0')).sort()).to.deep.equal(['000', '001.p'])
  })

  it('proves every record with a tlog-proof', async () => {
    const log = await openLog(places)
    await log.append(recordMaker(5).many(260))
    await log.close()
    const reader = await openReader(openFolderStore(places.log))
    for (const position of [0, 255, 256, 259]) {
      const { leaf } = await reader.record(position)
      const { index, hashes, checkpoint } = parseProof(await reader.proof(position))
      expect(index).to.equal(position)
      expect(checkpoint).to.equal(readFileSync(join(places.log, 'checkpoint'), 'utf8'))
      const { size, root } = reader.checkpoint
      expect(verifyInclusion(index, size, leafHash(Buffer.from(leaf)), root, hashes)).to.equal(true)
    }
  })

  it('serves a reader of an older checkpoint while the log grows past it', async () => {
    const maker = recordMaker(9)
    const log = await openLog(places)
    await log.append(maker.many(10))
    const reader = await openReader(openFolderStore(places.log))
    for (const count of [10, 300]) {
      await log.append(maker.many(count))
      const { leaf } = await reader.record(9)
      const { index, hashes } = parseProof(await reader.proof(9))
      const { size, root } = reader.checkpoint
      expect(verifyInclusion(index, size, leafHash(Buffer.from(leaf)), root, hashes)).to.equal(true)
    }
    await log.close()
  })

  it('makes a lost index again from the log alone', async () => {
    const records = recordMaker(6).many(20)
    await (await appended(places, records)).close()
    for (const file of readdirSync(places.data).filter((name) => name.startsWith('index'))) {
      rmSync(join(places.data, file))
    }
    const log = await openLog(places)
    expect(await log.append(records.slice(5, 6))).to.deep.equal([5])
    await log.close()
    expect((await checkLog(places)).size).to.equal(20)
  })

  // prettier-ignore
  const HARMED: { name: string; harm: (file: string) => void }[] = [
    { name: 'is no database',        harm: (file) => writeFileSync(file, 'x'.repeat(9000)) },
    { name: 'has another root',      harm: (file) => change(file, "DELETE FROM record; UPDATE head SET root = 'x'") },
    { name: 'is ahead of the log',   harm: (file) => change(file, 'UPDATE head SET size = 99') },
    { name: 'has rows in the way',   harm: (file) => change(file, `UPDATE head SET size = 0, root = '${EMPTY_ROOT.toString('base64')}'`) },
    { name: 'is of another version', harm: (file) => change(file, 'PRAGMA user_version = 99') },
  ]
  for (const { name, harm } of HARMED) {
    it(`fills an index again that ${name}`, async () => {
      const records = recordMaker(10).many(20)
      await (await appended(places, records)).close()
      harm(indexPath(places.data))
      const log = await openLog(places)
      await log.append(recordMaker(11).many(2))
      await log.close()
      const index = openSqliteIndex(indexPath(places.data))
      const found = await index.search({ rid: records[7]?.rid ?? '' })
      await index.close()
      expect(found.map(({ position }) => position)).to.deep.equal([7])
      expect((await checkLog(places)).size).to.equal(22)
    })
  }

  it('refuses a log whose checkpoint, lock store or key is another one', async () => {
    await (await appended(places, recordMaker(7).many(3))).close()
    const checkpoint = join(places.log, 'checkpoint')
    const old = readFileSync(checkpoint)
    await (await appended(places, recordMaker(8).many(3))).close()
    const young = readFileSync(checkpoint)

    rmSync(join(places.data, 'lock.sqlite'))
    await refused(places, 'the lock store has none')
    rmSync(checkpoint)
    writeFileSync(join(places.data, 'unused'), old)
    // A lock store that was made anew knows nothing of the log.
    await (await openLog(places)).close()
    writeFileSync(checkpoint, young)
    await refused(places, 'the published checkpoint has 6 records, the lock store 0')
    rmSync(join(places.data, 'keys/log-ed25519.pem'))
    openLogKeys(join(places.data, 'keys'), ORIGIN)
    await refused(places, 'is not signed by this log')
  })
})

async function appended(places: LogPlaces, records: Parameters<typeof checkRecords>[0]) {
  const log = await openLog(places)
  await log.append(records)
  return log
}
const checkRecords = (records: ReturnType<ReturnType<typeof recordMaker>['many']>) => records

function change(file: string, sql: string): void {
  const database = new DatabaseSync(file)
  database.exec(sql)
  database.close()
}

async function refused(places: LogPlaces, why: string): Promise<void> {
  const error = await rejection(openLog(places))
  expect(error).to.be.instanceOf(Problem).with.property('slug', 'log-inconsistent')
  expect(String(error)).to.include(why)
}

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.fail('expected a rejection'),
    (error: unknown) => error,
  )
}

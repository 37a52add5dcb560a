import { expect } from 'chai'
import { generateKeyPairSync } from 'node:crypto'
import { systemClock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { openSqliteIndex } from '../../evidence/index/sqlite.ts'
import { bundleItem, ENTRY_PREFIX, formatLeaf, RECORD_PREFIX } from '../../evidence/log/entry.ts'
import { EMPTY_FRONTIER, extend, frontierRoot } from '../../evidence/log/frontier.ts'
import { signCheckpoint } from '../../evidence/log/checkpoint.ts'
import { fsck } from '../../evidence/log/fsck.ts'
import { leafHash } from '../../evidence/log/merkle.ts'
import { ED25519, makeSigner } from '../../evidence/log/note.ts'
import { openSequencer } from '../../evidence/log/sequencer.ts'
import type { SealedRecord } from '../../evidence/record.ts'
import { recordDigest } from '../../evidence/seal.ts'
import { type Faults, memoryLock, memoryStore } from './memory.ts'
import { recordMaker } from './records.ts'

const ORIGIN = 'log.test/evr'
const SIGNER = makeSigner(ORIGIN, ED25519, generateKeyPairSync('ed25519').privateKey)
const STRANGER = makeSigner(ORIGIN, ED25519, generateKeyPairSync('ed25519').privateKey)

type Files = Map<string, Buffer>

async function soundLog(): Promise<ReturnType<typeof memoryStore>> {
  const faults: Faults = { next: undefined }
  const [store, lock, index] = [
    memoryStore(faults),
    memoryLock(faults),
    openSqliteIndex(':memory:'),
  ]
  const ports = { store, lock, index, origin: ORIGIN, signers: [SIGNER], clock: systemClock }
  const log = await openSequencer(ports)
  await log.append(recordMaker(51).many(200))
  await log.append(recordMaker(52).many(100))
  return store
}

/** A log that an operator with the key made up: every hash fits, only the records contradict. */
function madeUpLog(records: readonly SealedRecord[]): ReturnType<typeof memoryStore> {
  const store = memoryStore({ next: undefined })
  const leaves = records.map(({ rid, kind, jws }) =>
    formatLeaf({ rid, kind, digest: recordDigest(jws) }),
  )
  const { frontier } = extend(
    EMPTY_FRONTIER,
    leaves.map((leaf) => leafHash(Buffer.from(leaf))),
  )
  const width = records.length
  const items = (texts: string[], prefix: 2 | 4): Buffer =>
    Buffer.concat(texts.map((text) => bundleItem(text, prefix)))
  store.files.set(`tile/0/000.p/${width}`, Buffer.concat(frontier.levels[0] ?? []))
  store.files.set(`tile/entries/000.p/${width}`, items(leaves, ENTRY_PREFIX))
  store.files.set(
    `record/000.p/${width}`,
    items(
      records.map(({ jws }) => jws),
      RECORD_PREFIX,
    ),
  )
  const head = { origin: ORIGIN, size: width, root: frontierRoot(frontier) }
  store.files.set('checkpoint', Buffer.from(signCheckpoint(head, [SIGNER], 0)))
  return store
}

async function contradiction(
  store: ReturnType<typeof memoryStore>,
  signer = SIGNER,
): Promise<string> {
  const error = await fsck({ store, verifiers: [signer.verifier] }).catch((cause: unknown) => cause)
  expect(error).to.be.instanceOf(Problem).with.property('slug', 'log-inconsistent')
  return error instanceof Problem ? error.message : ''
}

describe('fsck', () => {
  it('finds a sound log sound and reports progress', async () => {
    const steps: string[] = []
    const report = await fsck({
      store: await soundLog(),
      verifiers: [SIGNER.verifier],
      progress: (done, total) => steps.push(`${done}/${total}`),
    })
    expect(report).to.include({ size: 300, instances: 2 })
    expect(steps).to.deep.equal(['256/300', '300/300'])
  })

  // prettier-ignore
  const HARMED: { name: string; harm: (files: Files) => void; want: string }[] = [
    { name: 'a bit of a full tile',     harm: (f) => { flip(f, 'tile/0/000', 5000) },           want: '`tile/0/000` does not hold' },
    { name: 'a bit of a partial tile',  harm: (f) => { flip(f, 'tile/0/001.p/44', 5) },         want: '`tile/0/001.p/44` does not hold' },
    { name: 'a bit of an upper tile',   harm: (f) => { flip(f, 'tile/1/000.p/1', 5) },          want: '`tile/1/000.p/1` does not hold' },
    { name: 'a bit of an entry',        harm: (f) => { flip(f, 'tile/entries/000', 60) },       want: 'entry' },
    { name: 'a bit of a record',        harm: (f) => { flip(f, 'record/000', 400) },            want: 'record 0 does not have the digest in its entry' },
    { name: 'a length of a record',     harm: (f) => { flip(f, 'record/001.p/44', 0) },         want: '`record/001.p/44` ends inside item 0' },
    { name: 'a missing tile',           harm: (f) => { f.delete('tile/0/000') },                want: '`tile/0/000` is missing' },
    { name: 'a missing record bundle',  harm: (f) => { f.delete('record/000') },                want: '`record/000` is missing' },
    { name: 'a checkpoint of another size', harm: (f) => { f.set('checkpoint', Buffer.from(String(f.get('checkpoint')).replace('\n300\n', '\n299\n'))) }, want: 'no good signature' },
  ]
  for (const { name, harm, want } of HARMED) {
    it(`names ${name}`, async () => {
      const store = await soundLog()
      harm(store.files)
      expect(await contradiction(store)).to.include(want)
    })
  }

  it('names a key that did not sign', async () => {
    expect(await contradiction(await soundLog(), STRANGER)).to.include('no good signature')
  })

  it("names a checkpoint that is not the lock store's", async () => {
    const [store, other] = [await soundLog(), await soundLog()]
    const locked = async () => String(other.files.get('checkpoint'))
    const options = { store, verifiers: [SIGNER.verifier], locked }
    const error = await fsck(options).catch((cause: unknown) => cause)
    expect(String(error)).to.include('the lock store differ at 300 records')
  })

  const maker = recordMaker(53)
  const [one, two, three] = [maker.next(), maker.next(), maker.next()]
  const [first, forked] = [recordMaker(54), recordMaker(54)]
  const start = first.next()
  forked.next({ route: 'GET /other' })
  const fork = forked.next()
  // prettier-ignore
  const CONTRADICTING: { name: string; records: SealedRecord[]; want: string }[] = [
    { name: 'a gap in seq',           records: [one, three],           want: 'seq 2 of instance' },
    { name: 'a record twice',         records: [one, two, one],        want: 'record 2 has the id' },
    { name: 'a seq twice',            records: [one, two, reseq(two)], want: 'repeats seq' },
    { name: 'a fork of an instance',  records: [start, fork],          want: 'does not follow the one before it' },
    { name: 'an entry of another id', records: [{ ...one, rid: two.rid }], want: 'names another record' },
  ]
  for (const { name, records, want } of CONTRADICTING) {
    it(`names ${name} in a log whose hashes all fit`, async () => {
      expect(await contradiction(madeUpLog(records))).to.include(want)
    })
  }

  it('accepts records that arrived before their predecessors', async () => {
    const report = await fsck({ store: madeUpLog([three, one, two]), verifiers: [SIGNER.verifier] })
    expect(report.size).to.equal(3)
  })
})

/** A record of the same instance and seq with another id. */
function reseq({ seq }: SealedRecord): SealedRecord {
  const other = recordMaker(53)
  for (let at = 1; at < seq; at += 1) other.next()
  return other.next({ rid: recordMaker(55).next().rid })
}

function flip(files: Files, key: string, at: number): void {
  const bytes = files.get(key)
  if (bytes === undefined) throw new Error(`no ${key}`)
  files.set(key, Buffer.from(bytes.with(at, bytes.readUInt8(at) ^ 1)))
}

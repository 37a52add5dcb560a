import { expect } from 'chai'
import fc from 'fast-check'
import { createCipheriv, createHash, createHmac } from 'node:crypto'
import { Problem } from '../../../base/problem.ts'
import { createRowLedger, type RowBatch } from '../../../evidence/rows/ledger.ts'
import { type OpenedRow, type TreeName, verifyRow } from '../../../evidence/rows/opened.ts'
import { proveRow } from '../../../evidence/rows/prove.ts'
import { rowSalts } from '../../../evidence/rows/tree.ts'

const SECRET = Buffer.alloc(32, 7)
const sha256 = (...parts: Uint8Array[]) =>
  createHash('sha256').update(Buffer.concat(parts)).digest()

/** RFC 6962 §2.1 as it is written there. */
function reference(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256()
  if (leaves.length === 1) return leaves[0] as Buffer
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  const halves = [leaves.slice(0, split), leaves.slice(split)].map(reference)
  return sha256(Buffer.from([1]), ...halves)
}

/** The salt's formula in the README, one block at a time. */
function saltOf(tree: TreeName, row: number): Buffer {
  const key = createHmac('sha256', SECRET).update(`rows:${tree}`).digest()
  const counter = Buffer.alloc(16)
  counter.writeBigUInt64BE(BigInt(row), 8)
  return createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(counter)
}

const rootOf = (tree: TreeName, rows: readonly Buffer[]) =>
  reference(rows.map((row, i) => sha256(Buffer.from([0]), saltOf(tree, i), row)))

async function* iterate(rows: readonly Buffer[]) {
  yield* rows
}

/** Rows as they stand in a body, each with a line break behind it. */
function batchOf(rows: readonly Buffer[]): RowBatch {
  const bytes = Buffer.concat(rows.flatMap((row) => [row, Buffer.from('\n')]))
  let at = 0
  const cuts = rows.flatMap(({ length }) => {
    const start = at
    at += length + 1
    return [start, start + length]
  })
  return { bytes, cuts }
}

/** @param size rows that are entered at once. */
function ledgerOf(rows: readonly Buffer[], size = 1) {
  const ledger = createRowLedger(SECRET, 'request')
  for (let at = 0; at < rows.length; at += size) {
    const some = rows.slice(at, at + size)
    ledger.enter(batchOf(some), batchOf(some.map((row) => row.subarray(1))))
    ledger.settle()
  }
  return ledger.facts()
}

const ARRAYS = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 70 })

describe('the ledger of rows', () => {
  it('has the roots of RFC 6962 over salted rows, at any size', () => {
    fc.assert(
      fc.property(ARRAYS, fc.integer({ min: 1, max: 80 }), (arrays, size) => {
        const rows = arrays.map((array) => Buffer.from(array))
        const facts = ledgerOf(rows, size)
        expect(facts.count).to.equal(rows.length)
        expect(facts.received).to.equal(rootOf('request.received', rows).toString('base64url'))
        const forwarded = rows.map((row) => row.subarray(1))
        expect(facts.forwarded).to.equal(
          rootOf('request.forwarded', forwarded).toString('base64url'),
        )
      }),
    )
  })

  it('counts nothing that was not settled', () => {
    const ledger = createRowLedger(SECRET, 'response')
    const [row, leak] = [batchOf([Buffer.from('a')]), batchOf([Buffer.from('leak')])]
    ledger.enter(row, row)
    ledger.settle()
    const before = ledger.facts()
    ledger.enter(leak, leak)
    expect(ledger.facts()).to.deep.equal(before)
  })

  it('hashes a row beyond its scratch space like any other', () => {
    const rows = [Buffer.alloc(10_000, 1), Buffer.from('x')]
    expect(ledgerOf(rows).received).to.equal(rootOf('request.received', rows).toString('base64url'))
  })

  it('gives salts in any order of asking', () => {
    const salts = rowSalts(SECRET, 'response.received')
    for (const row of [0, 5000, 1023, 1024, 2, 5000, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7]) {
      const salt = Buffer.alloc(18)
      salts(row, salt, 1)
      expect(salt.subarray(1, 17).equals(saltOf('response.received', row)), `${row}`).to.equal(true)
      expect([salt[0], salt[17]]).to.deep.equal([0, 0])
    }
  })
})

describe('one row', () => {
  const rows = Array.from({ length: 11 }, (_, i) => Buffer.from(`row ${i}`))
  const facts = ledgerOf(rows)
  const payload = { request: { rows: { ...facts } } }
  const open = (
    index: number,
    file: readonly Buffer[] = rows,
    tree: TreeName = 'request.received',
  ) => proveRow(iterate(file), SECRET, { tree, index, facts })

  it('is proven by whoever has all rows, whatever its place', async () => {
    for (const index of rows.keys()) {
      const opened = await open(index)
      expect(verifyRow(payload, opened)?.toString()).to.equal(`row ${index}`)
    }
    const forwarded = rows.map((row) => row.subarray(1))
    const opened = await open(4, forwarded, 'request.forwarded')
    expect(verifyRow(payload, opened)?.toString()).to.equal('ow 4')
  })

  // prettier-ignore
  const FOREIGN: { name: string; file: Buffer[]; index?: number; detail: RegExp }[] = [
    { name: 'another row',        file: rows.with(3, Buffer.from('row x')), detail: /not what the record commits to: it has 11 rows/ },
    { name: 'a row less',         file: rows.slice(0, -1),                  detail: /it has 10 rows, the record 11/ },
    { name: 'a row more',         file: [...rows, Buffer.from('')],         detail: /it has 12 rows, the record 11/ },
    { name: 'a row out of reach', file: rows, index: 11,                    detail: /has 11 rows, from 0/ },
  ]
  for (const { name, file, index = 2, detail } of FOREIGN) {
    it(`is not proven from ${name}`, async () => {
      const error = await open(index, file).catch((thrown: unknown) => thrown)
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'request-malformed')
      expect((error as Problem).message).to.match(detail)
    })
  }

  it('is proven from either file when some were dropped: each tree has the rows of its file', async () => {
    const left = rows.filter((_, index) => index % 3 !== 1)
    const ledger = createRowLedger(SECRET, 'request')
    ledger.enter(batchOf(rows), batchOf(left))
    ledger.settle()
    expect(ledger.count()).to.equal(left.length)
    const some = ledger.facts()
    expect(some).to.include({ count: 11, dropped: 4 })
    const record = { request: { rows: { ...some } } }
    const prove = (tree: TreeName, file: readonly Buffer[], index: number) =>
      proveRow(iterate(file), SECRET, { tree, index, facts: some })
    for (const [index, row] of rows.entries()) {
      const opened = await prove('request.received', rows, index)
      expect(verifyRow(record, opened)?.equals(row)).to.equal(true)
    }
    for (const [index, row] of left.entries()) {
      const opened = await prove('request.forwarded', left, index)
      expect(verifyRow(record, opened)?.equals(row)).to.equal(true)
      // Whoever says that none was dropped changes the size of the tree.
      expect(verifyRow({ request: { rows: { ...some, dropped: 0 } } }, opened)).to.equal(undefined)
    }
    const error = await prove('request.forwarded', left, 7).catch((thrown: unknown) => thrown)
    expect((error as Problem).message).to.equal('the record has 7 rows, from 0, 4 were dropped')
  })

  it('is refused when anything of its proof was changed', async () => {
    const opened = await open(4)
    const flip = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
    // prettier-ignore
    const CHANGED: Record<string, OpenedRow> = {
      row: { ...opened, row: flip(opened.row) },
      salt: { ...opened, salt: flip(opened.salt) },
      'salt length': { ...opened, salt: opened.salt.slice(0, -4) },
      index: { ...opened, index: 5 },
      'index beyond': { ...opened, index: 11 },
      tree: { ...opened, tree: 'request.forwarded' },
      side: { ...opened, tree: 'response.received' },
      path: { ...opened, path: opened.path.map(flip) },
      'short path': { ...opened, path: opened.path.slice(1) },
      'long path': { ...opened, path: [...opened.path, opened.path[0] as string] },
      'padded path': { ...opened, path: opened.path.map((text) => `${text}=`) },
    }
    expect(verifyRow(payload, opened)).to.not.equal(undefined)
    for (const [name, changed] of Object.entries(CHANGED)) {
      expect(verifyRow(payload, changed), name).to.equal(undefined)
    }
    expect(verifyRow({}, opened)).to.equal(undefined)
  })
})

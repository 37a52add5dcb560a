import { expect } from 'chai'
import fc from 'fast-check'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs' // prettier-ignore
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../../../base/problem.ts'
import { createSpool, openSpoolFolder, type Spool } from '../../../gateway/stream/spool.ts'
import { leaksIn } from '../../support/leak.ts'

const SECRET = '13800138000'

async function readAll(spool: Spool): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of spool.read()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('spool files', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sealgate-spool-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** The files that this process has open in the folder, by descriptor. */
  const openFiles = () =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const path = `/proc/self/fd/${fd}`
        return statSync(path).isFile() && statSync(path).nlink === 0 ? [path] : []
      } catch {
        return []
      }
    })

  it('give back what was written, in any pieces', async () => {
    const spools = openSpoolFolder(folder, 100_000_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 150_000 }), { maxLength: 6 }),
        async (sizes) => {
          const spool = await spools.open()
          const pieces = sizes.map((size, index) => Buffer.alloc(size, index + 1))
          for (const piece of pieces) await spool.write(piece)
          const all = Buffer.concat(pieces)
          expect(spool.length()).to.equal(all.length)
          expect((await readAll(spool)).equals(all)).to.equal(true)
          await spool.close()
        },
      ),
      { numRuns: 20 },
    )
    expect(spools.bytes()).to.equal(0)
  })

  it('forget what was written behind a mark', async () => {
    const spools = openSpoolFolder(folder, 100_000_000)
    const size = fc.integer({ min: 0, max: 150_000 })
    await fc.assert(
      fc.asyncProperty(size, size, size, async (before, lost, after) => {
        const spool = await spools.open()
        await spool.write(Buffer.alloc(before, 'b'))
        const undo = spool.mark()
        for (let at = 0; at < lost; at += 7000) await spool.write(Buffer.alloc(7000, 'l'))
        undo()
        expect(spool.length()).to.equal(before)
        await spool.write(Buffer.alloc(after, 'a'))
        const all = Buffer.concat([Buffer.alloc(before, 'b'), Buffer.alloc(after, 'a')])
        expect((await readAll(spool)).equals(all)).to.equal(true)
        await spool.close()
      }),
      { numRuns: 20 },
    )
    expect(spools.bytes()).to.equal(0)
  })

  it('take all of a piece or none: a full disk loses nothing that was taken', async () => {
    let room = 0
    const disk = Buffer.alloc(1_000_000)
    const spool = createSpool(
      {
        // Writes what there is room for, as a file system does.
        write: (async (bytes: Buffer, offset: number, length: number, position: number) => {
          const size = Math.min(length, room - position)
          if (size <= 0) throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
          bytes.copy(disk, position, offset, offset + size)
          return { bytesWritten: size, buffer: bytes }
        }) as never,
        read: (async (bytes: Buffer, _offset: number, length: number, position: number) => {
          disk.copy(bytes, 0, position, position + length)
          return { bytesRead: length, buffer: bytes }
        }) as never,
        close: async () => undefined,
      },
      () => undefined,
    )
    const written: Buffer[] = []
    let refused = 0
    for (let i = 0; i < 60; i++) {
      room = i % 3 === 0 ? room : room + 10_000
      const piece = Buffer.alloc(9000, i)
      const error = await spool.write(piece).then(
        () => written.push(piece) && undefined,
        (thrown: unknown) => thrown,
      )
      if (error === undefined) continue
      refused++
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'overloaded')
    }
    expect(refused).to.be.within(1, 59)
    expect(spool.length()).to.equal(written.length * 9000)
    expect((await readAll(spool)).equals(Buffer.concat(written))).to.equal(true)
    await spool.close()
  })

  it('have no name, and hold nothing readable', async () => {
    const spool = await openSpoolFolder(folder, 1_000_000).open()
    await spool.write(Buffer.from(`${SECRET} 王小明 `.repeat(10_000)))
    expect(readdirSync(folder)).to.deep.equal([])
    expect(statSync(folder).mode & 0o077).to.equal(0)
    const files = openFiles().filter((path) => statSync(path).size > 190_000)
    expect(files).to.have.length(1)
    const bytes = readFileSync(files[0] ?? '')
    expect(statSync(files[0] ?? '').mode & 0o077).to.equal(0)
    expect(leaksIn(bytes.toString('latin1') + bytes.toString('utf8'), [SECRET, '王小明'])).to.deep.equal([]) // prettier-ignore
    await spool.close()
    expect(openFiles().filter((path) => statSync(path).size > 190_000)).to.deep.equal([])
  })

  it('notice a changed byte', async () => {
    const spool = await openSpoolFolder(folder, 1_000_000).open()
    await spool.write(Buffer.alloc(200_000, 'x'))
    const path = openFiles().find((file) => statSync(file).size > 190_000) ?? ''
    const byte = Buffer.alloc(1)
    const fd = openSync(path, 'r+')
    readSync(fd, byte, 0, 1, 100_000)
    writeSync(fd, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, 100_000)
    closeSync(fd)
    const error = await readAll(spool).catch((thrown: unknown) => thrown)
    expect(error).to.be.instanceOf(Error)
    await spool.close()
  })

  it('take no more space than allowed, together', async () => {
    const spools = openSpoolFolder(folder, 150_000)
    const first = await spools.open()
    await first.write(Buffer.alloc(131_072))
    const second = await spools.open()
    const error = await second.write(Buffer.alloc(65_536)).catch((thrown: unknown) => thrown)
    expect(error).to.be.instanceOf(Problem).with.property('slug', 'overloaded')
    await second.close()
    await first.close()
    expect(spools.bytes()).to.equal(0)
    const third = await spools.open()
    await third.write(Buffer.alloc(131_072))
    await third.close()
  })

  it('are swept when the folder is opened: a crash left a name', () => {
    writeFileSync(join(folder, '1-0'), '')
    openSpoolFolder(folder, 1)
    expect(readdirSync(folder)).to.deep.equal([])
  })
})

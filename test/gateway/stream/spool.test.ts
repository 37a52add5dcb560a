import { expect } from 'chai'
import fc from 'fast-check'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs' // prettier-ignore
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../../../base/problem.ts'
import { openSpoolFolder, type Spool } from '../../../gateway/stream/spool.ts'
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
          await spool.finish()
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

  it('have no name, and hold nothing readable', async () => {
    const spool = await openSpoolFolder(folder, 1_000_000).open()
    await spool.write(Buffer.from(`${SECRET} 王小明 `.repeat(10_000)))
    await spool.finish()
    expect(readdirSync(folder)).to.deep.equal([])
    expect(statSync(folder).mode & 0o077).to.equal(0)
    const files = openFiles().filter((path) => statSync(path).size > 200_000)
    expect(files).to.have.length(1)
    const bytes = readFileSync(files[0] ?? '')
    expect(statSync(files[0] ?? '').mode & 0o077).to.equal(0)
    expect(leaksIn(bytes.toString('latin1') + bytes.toString('utf8'), [SECRET, '王小明'])).to.deep.equal([]) // prettier-ignore
    await spool.close()
    expect(openFiles().filter((path) => statSync(path).size > 200_000)).to.deep.equal([])
  })

  it('notice a changed byte', async () => {
    const spool = await openSpoolFolder(folder, 1_000_000).open()
    await spool.write(Buffer.alloc(200_000, 'x'))
    await spool.finish()
    const path = openFiles().find((file) => statSync(file).size > 200_000) ?? ''
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

import { constants, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Problem } from '../../../base/problem.ts'
import { decodeEntries, encodeEntry, type Entry } from '../../../evidence/journal/entry.ts'
import { nodeFiles } from '../../../evidence/journal/files.ts'
import { openJournal, type Journal } from '../../../evidence/journal/journal.ts'
import { temporaryFolder } from '../support.ts'
import { MemoryFiles } from './faults.ts'

const MARK: Entry = { type: 'mark', payload: '{}' }
const event = (payload: string): Entry => ({ type: 'event', payload })
const FIRST = '0000000001.seg'
const SECOND = '0000000002.seg'

async function start(
  memory: MemoryFiles,
  segmentBytesMax?: number,
  aheadBytes?: number,
): Promise<Journal> {
  // prettier-ignore
  const found = await openJournal(memory.files(), segmentBytesMax, aheadBytes)
  return found.start(
    () => MARK,
    () => undefined,
  )
}

const append = (journal: Journal, payload: string) =>
  new Promise<number>((resolve, reject) => {
    journal.append(event(payload), (problem, segment) =>
      problem === undefined ? resolve(segment) : reject(problem),
    )
  })

async function found(memory: MemoryFiles) {
  const journal = await openJournal(memory.files())
  return { ...journal, all: [...journal.entries()].filter(({ type }) => type === 'event').map(({ payload }) => payload) } // prettier-ignore
}

describe('journal entry', () => {
  it('frames as `length | crc32 | type | payload`', () => {
    expect(encodeEntry(event('a')).toString('hex')).to.equal('00000002' + '504110f2' + '03' + '61')
  })

  it('ends at the first entry that is not whole, for every length of the tail', () => {
    const first = encodeEntry(event('first'))
    const last = encodeEntry(event('the last entry'))
    for (let size = 0; size < last.length; size++) {
      for (const rest of [Buffer.alloc(0), Buffer.alloc(64)]) {
        const torn = Buffer.concat([first, last.subarray(0, size), rest])
        const { entries, end } = decodeEntries(torn)
        expect(
          entries.map(({ payload }) => payload),
          `cut at ${size}`,
        ).to.deep.equal(['first'])
        expect(end).to.equal(first.length)
      }
    }
  })

  it('notices every flipped bit of an entry', () => {
    const frame = encodeEntry(event('payload'))
    for (let bit = 0; bit < 8 * frame.length; bit++) {
      const bytes = Buffer.from(frame)
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(decodeEntries(bytes).entries, `bit ${bit}`).to.deep.equal([])
    }
  })
})

describe('journal', () => {
  it('calls back when durable, in order, and finds everything again', async () => {
    const memory = new MemoryFiles()
    const journal = await start(memory)
    const texts = Array.from({ length: 100 }, (_, index) => `entry ${index}`)
    const order: string[] = []
    await Promise.all(texts.map((text) => append(journal, text).then(() => order.push(text))))
    expect(order).to.deep.equal(texts)
    memory.crash('power')
    expect((await found(memory)).all).to.deep.equal(texts)
  })

  it('rolls by size and removes only whole, older segments', async () => {
    const memory = new MemoryFiles()
    const journal = await start(memory, 120)
    for (let count = 0; count < 9; count++) await append(journal, 'x'.repeat(40))
    expect(memory.names()).to.have.length(5)
    await journal.removeBefore(3)
    expect(memory.names()[0]).to.equal('0000000003.seg')
    await journal.removeBefore(Number.POSITIVE_INFINITY)
    expect(memory.names()).to.deep.equal(['0000000005.seg'])
    await journal.close()
  })

  it('never removes the segment that was active when it was asked, however late it removes', async () => {
    const memory = new MemoryFiles()
    const journal = await start(memory, 120)
    for (let count = 0; count < 41; count++) await append(journal, 'x'.repeat(40))
    const removals = [1, 2].map(() => journal.removeBefore(Number.POSITIVE_INFINITY))
    for (let count = 0; count < 9; count++) await append(journal, 'x'.repeat(40))
    await Promise.all(removals)
    expect(memory.names()[0]).to.equal('0000000021.seg')
  })

  it('cuts a torn tail at every byte of the last entry', async () => {
    const memory = new MemoryFiles()
    const journal = await start(memory)
    await append(journal, 'whole')
    const whole = memory.bytesOf(FIRST).length
    await append(journal, 'the last entry')
    const bytes = memory.bytesOf(FIRST)
    for (let size = whole; size < bytes.length; size++) {
      const torn = new MemoryFiles()
      torn.overwrite(FIRST, bytes.subarray(0, size))
      const { all, tornBytes } = await found(torn)
      expect(all).to.deep.equal(['whole'])
      // Of a length that begins with zeros nothing can be seen yet.
      expect(tornBytes).to.equal(size - whole > 3 ? size - whole : 0)
      expect(torn.bytesOf(FIRST).length).to.equal(whole)
    }
  })

  // prettier-ignore
  const DAMAGES: { name: string; damage: (memory: MemoryFiles) => void; detail: string }[] = [
    { name: 'a flipped bit in an older segment', damage: (memory) => flip(memory, FIRST),    detail: `\`${FIRST}\` is damaged at byte` },
    { name: 'zeros behind an older segment',     damage: (memory) => memory.overwrite(FIRST, Buffer.concat([memory.bytesOf(FIRST), Buffer.alloc(9)])), detail: `\`${FIRST}\` is damaged at byte` },
    { name: 'a missing segment',                 damage: (memory) => memory.delete(SECOND), detail: `\`${SECOND}\` is missing` },
  ]
  for (const { name, damage, detail } of DAMAGES) {
    it(`refuses to start with ${name}`, async () => {
      const memory = new MemoryFiles()
      const journal = await start(memory, 120, 50)
      for (let count = 0; count < 6; count++) await append(journal, 'x'.repeat(40))
      await journal.close()
      damage(memory)
      const error = await found(memory).then(() => undefined, (problem: unknown) => problem) // prettier-ignore
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'evidence-unavailable')
      expect((error as Problem).message).to.include(detail)
    })
  }

  for (const call of ['write', 'sync', 'create', 'syncFolder', 'truncate'] as const) {
    for (const how of ['lost', 'applied-then-lost', 'torn'] as const) {
      if (how === 'torn' && call !== 'write') continue
      it(`fails closed when ${call} is ${how}, and keeps all that it acknowledged`, async () => {
        for (let at = 1; at <= 12; at++) {
          const memory = new MemoryFiles()
          const acknowledged: string[] = []
          memory.fault = { call, at, how }
          try {
            const journal = await start(memory, 150, 60)
            for (let count = 0; count < 8; count++) {
              await append(journal, `entry ${count}`.padEnd(40))
              acknowledged.push(`entry ${count}`.padEnd(40))
            }
          } catch (error) {
            if (!(error instanceof Problem)) expect(String(error)).to.include('injected')
          }
          for (const crash of ['kill', 'power'] as const) {
            memory.crash(crash)
            const { all } = await found(memory)
            expect(all.slice(0, acknowledged.length)).to.deep.equal(acknowledged)
          }
        }
      })
    }
  }

  for (const how of ['lost', 'applied-then-lost', 'torn'] as const) {
    it(`does without zeros when filling is ${how}`, async () => {
      for (let at = 1; at <= 6; at++) {
        const memory = new MemoryFiles()
        memory.fault = { call: 'fill', at, how }
        const journal = await start(memory, 150, 60)
        const texts = Array.from({ length: 8 }, (_, count) => `entry ${count}`.padEnd(40))
        for (const text of texts) await append(journal, text)
        memory.crash('power')
        expect((await found(memory)).all).to.deep.equal(texts)
      }
    })
  }

  it('writes over zeros, which go when a segment is left, and after a crash', async () => {
    const memory = new MemoryFiles()
    const journal = await start(memory, 400, 100)
    const texts = Array.from({ length: 20 }, (_, count) =>
      `entry ${count}`.padEnd(5 + (count % 7) * 30),
    )
    const zeros: number[] = []
    for (const text of texts) {
      await append(journal, text)
      const bytes = memory.bytesOf(memory.names().at(-1) ?? '')
      zeros.push(bytes.length - decodeEntries(bytes).end)
    }
    expect(Math.max(...zeros)).to.be.within(60, 200)
    for (const name of memory.names().slice(0, -1))
      expect(decodeEntries(memory.bytesOf(name)).end, name).to.equal(memory.bytesOf(name).length)
    memory.crash('power')
    const { all, tornBytes, abandon } = await found(memory)
    expect({ all, tornBytes }).to.deep.equal({ all: texts, tornBytes: 0 })
    abandon()
    await (await start(memory, 400, 100)).close()
    for (const name of memory.names())
      expect(decodeEntries(memory.bytesOf(name)).end, name).to.equal(memory.bytesOf(name).length)
  })

  it('appends nothing more after a failure, not even when the disk is well again', async () => {
    const memory = new MemoryFiles()
    const journal = await start(memory)
    memory.fault = { call: 'sync', at: 2, how: 'lost' }
    const problems = await Promise.all(
      ['a', 'b'].map((text) => append(journal, text).catch((error: unknown) => error)),
    )
    memory.fault = undefined
    problems.push(await append(journal, 'c').catch((error: unknown) => error))
    for (const problem of problems) {
      expect(problem).to.be.instanceOf(Problem).with.property('slug', 'evidence-unavailable')
    }
  })

  it('is held by one process at a time, with an error that names the folder', async () => {
    const folder = temporaryFolder()
    try {
      const first = await openJournal(nodeFiles(folder.path))
      const error = await openJournal(nodeFiles(folder.path)).catch((problem: unknown) => problem)
      expect(error).to.be.instanceOf(Problem)
      expect((error as Problem).message).to.include(folder.path)
      first.abandon()
      ;(await openJournal(nodeFiles(folder.path))).abandon()
    } finally {
      folder.remove()
    }
  })
})

describe('the files of a journal on the machine', () => {
  it('are open so that no write returns before its bytes are durable', async () => {
    const folder = temporaryFolder()
    try {
      const files = nodeFiles(folder.path)
      const made = await files.create(FIRST)
      expect(isDurable(join(folder.path, FIRST)), 'a new file').to.equal(true)
      await made.close()
      const found = await files.open(FIRST)
      expect(isDurable(join(folder.path, FIRST)), 'a file that was there').to.equal(true)
      await found.close()
    } finally {
      folder.remove()
    }
  })
})

describe('a file that zeros stand ahead in', () => {
  it('is written over them, and cut off behind what was written', async () => {
    const folder = temporaryFolder()
    const path = join(folder.path, FIRST)
    try {
      const file = await nodeFiles(folder.path).create(FIRST)
      await file.write(Buffer.from('abc'), 0)
      await file.fill(3, 100_000)
      expect(readFileSync(path)).to.deep.equal(
        Buffer.concat([Buffer.from('abc'), Buffer.alloc(100_000)]),
      )
      expect(openOf(path)).to.have.length(2)
      expect(isDurable(path)).to.equal(true)
      await file.write(Buffer.from('def'), 3)
      await file.truncate(6)
      expect(readFileSync(path, 'utf8')).to.equal('abcdef')
      await file.close()
      expect(openOf(path)).to.deep.equal([])
    } finally {
      folder.remove()
    }
  })
})

/** Descriptors that the process has of a file. */
const openOf = (path: string) => readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === path)

/** Whether the kernel has the file open with O_DSYNC (proc_pid_fdinfo(5): `flags` in octal). */
function isDurable(path: string): boolean {
  return openOf(path).every((fd) => {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
    return (Number.parseInt(flags ?? '0', 8) & constants.O_DSYNC) !== 0
  })
}

/** The folder's own descriptor is gone by the time its entry is read. */
function linkOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined
  }
}

function flip(memory: MemoryFiles, name: string): void {
  const bytes = Buffer.from(memory.bytesOf(name))
  bytes.writeUInt8(bytes.readUInt8(30) ^ 1, 30)
  memory.overwrite(name, bytes)
}

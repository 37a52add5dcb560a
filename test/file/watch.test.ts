import { expect } from 'chai'
import { once } from 'node:events'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FileReport } from '../../gateway/file/state.ts'
import { checkLog, readRecords } from '../support/records.ts'
import { createFileBench, type FileBench, fileOf } from './support.ts'

const COMMAND = join(import.meta.dirname, '../../cli/sealgate.js')
const SEED = Number(process.env['SEALGATE_TEST_SEED'] ?? Date.now() % 1_000_000)

/** The command on a drop folder, in a process that can be killed. */
function watchIn(bench: FileBench): { child: ChildProcess; output: () => string } {
  const args = bench.args(bench.in, bench.out, '--watch', '--companion', 'both')
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return { child, output: () => output }
}

async function until(what: string, holds: () => boolean, output: () => string): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    if (holds()) return
    await sleep(50)
  }
  throw new Error(`not in time: ${what}\n${output()}`)
}

describe('sealgate file --watch', function () {
  this.timeout(180_000)
  let bench: FileBench
  before(async () => {
    bench = await createFileBench()
  })
  after(() => bench.close())

  /** Writes the companions after the file, as partners do. */
  const drop = (name: string, text: string, md5?: string) => {
    bench.put(name, text, md5)
    writeFileSync(join(bench.in, `${name}.ok`), '')
  }

  it('waits for the companions, takes each file once, and sets refused ones apart', async () => {
    const { child, output } = watchIn(bench)
    const reportsOf = () =>
      output()
        .split('\n')
        .filter((line) => line.startsWith('{"file"'))
        .map((line) => JSON.parse(line) as FileReport)
    try {
      bench.put('early.txt', fileOf(2))
      await until('the command is ready', () => output().includes('sealgate is ready'), output)
      drop('good.txt', fileOf(2))
      drop('changed.txt', fileOf(2), '0'.repeat(32))
      drop('bad-row.txt', fileOf(2, ['R3|欧阳建国|x']))
      await until('three reports', () => reportsOf().length === 3, output)
      expect(bench.names('in')).to.deep.equal(['done', 'early.txt', 'early.txt.md5', 'refused'])
      expect(bench.names('out')).to.deep.equal(['good.txt', 'good.txt.md5', 'good.txt.ok'])
      expect(bench.names('in', 'done')).to.deep.equal(['good.txt', 'good.txt.md5', 'good.txt.ok'])
      const refused = bench.names('in', 'refused').filter((name) => !/\.(?:md5|ok)$/.test(name))
      expect(refused).to.deep.equal([
        'bad-row.txt',
        'bad-row.txt.report.json',
        'changed.txt',
        'changed.txt.report.json',
      ])
      const report = JSON.parse(bench.read('in', 'refused/bad-row.txt.report.json')) as FileReport
      expect(report).to.include({ file: 'bad-row.txt', problem: 'row-invalid' })
      expect(report.detail)
        .to.match(/^row 3\b/)
        .and.not.include('欧阳')
      writeFileSync(join(bench.in, 'early.txt.ok'), '')
      await until('the early file', () => reportsOf().length === 4, output)
      drop('good.txt', fileOf(2))
      await until('the second delivery', () => reportsOf().length === 5, output)
      expect(reportsOf().at(-1)?.detail).to.match(/delivered before/)
      expect(bench.names('in', 'refused')).to.include('good.txt')
      drop('waits.txt', fileOf(1))
      rmSync(join(bench.in, 'waits.txt.ok'))
      const told = async () => (await bench.ask('/api/transfers')) as { desks: object[] }
      let desks: object[] = []
      for (let attempt = 0; attempt < 200; attempt++) {
        ;({ desks } = await told())
        if ((desks[0] as { incomplete?: number } | undefined)?.incomplete === 1) break
        await sleep(50)
      }
      expect(desks).to.have.length(1)
      expect(desks[0]).to.include({ policy: 'repayments', state: 'idle', delivered: 2, refused: 3, rows: 4, incomplete: 1 }) // prettier-ignore
      expect(JSON.stringify(desks)).to.not.include('.txt')
      expect(await bench.ask('/metrics')).to.include('sealgate_desk_up{policy="repayments"} 1')
    } finally {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    expect(await bench.ask('/metrics')).to.include('sealgate_desk_up{policy="repayments"} 0')
    rmSync(join(bench.in, 'waits.txt'))
  })

  it(`gives each file one output and one record, however often it is killed (seed ${SEED})`, async () => {
    let random = SEED
    const next = (below: number) => {
      random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff
      return random % below
    }
    const names = Array.from({ length: 20 }, (_, index) => `killed-${index}.txt`)
    for (const [index, name] of names.entries()) drop(name, fileOf(300 + 900 * (index % 4)))
    drop('killed-bad.txt', fileOf(50, ['x']))
    const isDone = () => bench.names('in').every((name) => !name.startsWith('killed'))
    let kills = 0
    let output = () => ''
    while (!isDone() && kills < 8) {
      const run = watchIn(bench)
      output = run.output
      await until('the command is ready', () => run.output().includes('sealgate is ready'), output)
      // From the start of a file to after several: each place of the way is met by some kill.
      await Promise.race([until('all files', isDone, output), sleep(next(500))])
      run.child.kill('SIGKILL')
      await once(run.child, 'exit')
      kills++
    }
    const last = watchIn(bench)
    // All may be done already: what the last kill left in the journal goes to the log from here.
    await until('the command is ready', () => last.output().includes('sealgate is ready'), output)
    await until('the rest', isDone, last.output)
    await until('the end of the states', () => statesLeft() === 0, last.output)
    last.child.kill('SIGTERM')
    await once(last.child, 'exit')
    expect(kills).to.be.greaterThan(1)
    for (const [index, name] of names.entries()) {
      const rows = 300 + 900 * (index % 4)
      const written = bench.read('out', name)
      expect(written.split('\n')).to.have.lengthOf(rows + 3)
      expect(bench.names('out')).to.include.members([`${name}.md5`, `${name}.ok`])
    }
    expect(bench.names('out').filter((name) => name.endsWith('.part'))).to.deep.equal([])
    expect(existsSync(join(bench.out, 'killed-bad.txt'))).to.equal(false)
    expect(bench.names('in', 'refused')).to.include('killed-bad.txt.report.json')
    const config = bench.installation.config()
    let records = await readRecords(config)
    const ofFiles = () => records.filter(({ route }) => route === 'PUT /reconciliation/repayments')
    const delivered = bench.names('out').filter((name) => name.endsWith('.txt')).length
    const refusedCount = bench
      .names('in', 'refused')
      .filter((name) => name.endsWith('.report.json'))
    const want = delivered + refusedCount.length
    for (let attempt = 0; attempt < 100 && ofFiles().length < want; attempt++) {
      await sleep(100)
      records = await readRecords(config)
    }
    const files = ofFiles()
    expect(files.filter(({ outcome }) => outcome === 'delivered')).to.have.lengthOf(delivered)
    expect(files.filter(({ kind }) => kind === 'refusal')).to.have.lengthOf(refusedCount.length)
    expect(new Set(files.map(({ rid }) => rid)).size).to.equal(want)
    expect(records.some(({ outcome }) => outcome === 'unknown')).to.equal(false)
    await checkLog(config)
  })

  function statesLeft(): number {
    return readdirSync(join(bench.installation.folder, 'data/files/repayments/state')).length
  }
})

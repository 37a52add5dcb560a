import { expect } from 'chai'
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FileReport } from '../../gateway/file/state.ts'
import { filesBelow, leaksIn } from '../support/leak.ts'
import { checkLog, findRecord } from '../support/records.ts'
import { createFileBench, type FileBench, md5Of, fileOf } from './support.ts'

const reportOf = (stdout: string) =>
  JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as FileReport

describe('sealgate file', function () {
  this.timeout(60_000)
  let bench: FileBench
  before(async () => {
    bench = await createFileBench()
  })
  after(() => bench.close())

  it('passes a file by its policy, writes its digest, and leaves one record with its rows', async () => {
    const input = bench.put('repay-20261127.txt', fileOf(3))
    const output = join(bench.out, 'repay-20261127.txt')
    const { code, stdout, stderr } = await bench.run(input, output)
    expect(code, stderr).to.equal(0)
    const report = reportOf(stdout)
    expect(report).to.include({ result: 'delivered', policy: 'repayments', rows: 3 })
    const written = bench.read('out', 'repay-20261127.txt')
    expect(written).to.match(
      /^H\|20261127\|3\n(R\d\|欧阳\*+\|tok_mobile_1_[a-z]+\|1\.10\n){3}T\|3\|3\.30\n$/,
    )
    expect(bench.read('out', 'repay-20261127.txt.md5')).to.equal(
      `${md5Of(readFileSync(output))}  repay-20261127.txt\n`,
    )
    expect(bench.names('out')).to.deep.equal(['repay-20261127.txt', 'repay-20261127.txt.md5'])
    const record = await findRecord(bench.installation.config(), report.record)
    expect(record).to.deep.include({
      kind: 'exchange',
      outcome: 'delivered',
      recipient: 'sunrise-platform',
      route: 'PUT /reconciliation/repayments',
    })
    expect(record['caller']).to.deep.equal({ id: 'harbour-bank', auth: 'folder', key: '' })
    const request = record['request'] as { rows: object; length: number; forwardedLength: number }
    expect(request.rows).to.deep.equal({
      count: 3,
      received: report.rootReceived,
      forwarded: report.rootForwarded,
    })
    expect(request.forwardedLength).to.equal(readFileSync(output).length)
    expect((await checkLog(bench.installation.config())).size).to.be.at.least(1)
  })

  // prettier-ignore
  const REFUSED: { name: string; file: string; make: (bench: FileBench, file: string) => string; slug: string; detail: RegExp }[] = [
    { name: 'another digest in the companion', file: 'a.txt', make: (b, file) => b.put(file, fileOf(2), '0'.repeat(32)),                                 slug: 'file-refused',   detail: /its bytes are not those of its `.md5`/ },
    { name: 'a companion of another file',     file: 'b.txt', make: (b, file) => { const path = b.put(file, fileOf(1)); writeFileSync(`${path}.md5`, `${'0'.repeat(32)}  c.txt`); return path }, slug: 'file-refused', detail: /that of another file/ },
    { name: 'a companion without a digest',    file: 'c.txt', make: (b, file) => { const path = b.put(file, fileOf(1)); writeFileSync(`${path}.md5`, 'x'); return path },                           slug: 'file-refused', detail: /holds no digest/ },
    { name: 'a bad row, told with its place',  file: 'd.txt', make: (b, file) => b.put(file, fileOf(2, ['R3|x'])), slug: 'row-invalid', detail: /^row 3\b/ },
    { name: 'a count that is wrong',           file: 'h.txt', make: (b, file) => b.put(file, fileOf(2).replace('T|2', 'T|3')),                        slug: 'totals-wrong', detail: /trailer/ },
    { name: 'a total that is wrong',           file: 'i.txt', make: (b, file) => b.put(file, fileOf(2).replace('2.20', '2.21')),                      slug: 'totals-wrong', detail: /trailer/ },
    { name: 'a leak',                          file: 'e.txt', make: (b, file) => b.put(file, fileOf(1, ['18657103389|x|x|0.00'])),                  slug: 'leak-detected',  detail: /mobile/ },
    { name: 'a leak far inside, told with its place', file: 'j.txt', make: (b, file) => b.put(file, fileOf(3000, ['x|x|x|0.00', '18657103389|x|x|0.00'])), slug: 'leak-detected',  detail: /the body, row 3002, column 1$/ },
    { name: 'a leak in its name',              file: '18657103389.txt', make: (b, file) => b.put(file, fileOf(1)),                                       slug: 'leak-detected',  detail: /path/ },
    { name: 'a link to another file',          file: 'f.txt', make: (b, file) => { const path = join(b.in, file); symlinkSync('/etc/hostname', path); return path },                                 slug: 'file-refused', detail: /no plain file/ },
  ]
  for (const { name, file, make, slug, detail } of REFUSED) {
    it(`refuses ${name}, and leaves no output`, async () => {
      const input = make(bench, file)
      const output = join(bench.out, file)
      const { code, stdout, stderr } = await bench.run(input, output)
      expect(code, stderr).to.equal(1)
      const report = reportOf(stdout)
      expect(report).to.include({ result: 'refused', problem: slug, file })
      expect(report.detail, report.detail).to.match(detail)
      expect(existsSync(output)).to.equal(false)
      expect(bench.names('out').filter((each) => each.includes('.part'))).to.deep.equal([])
      expect(JSON.parse(bench.read('out', `${file}.report.json`))).to.deep.equal(report)
      const record = await findRecord(bench.installation.config(), report.record)
      expect(record).to.deep.include({
        kind: 'refusal',
        problem: slug,
        recipient: 'sunrise-platform',
      })
    })
  }

  it('does not deliver over what was delivered', async () => {
    const input = bench.put('twice.txt', fileOf(1))
    const output = join(bench.out, 'twice.txt')
    expect((await bench.run(input, output)).code).to.equal(0)
    const first = bench.read('out', 'twice.txt')
    bench.put('twice.txt', fileOf(2))
    const { code, stdout } = await bench.run(input, output)
    expect(code).to.equal(1)
    expect(reportOf(stdout).detail).to.match(/delivered before/)
    expect(bench.read('out', 'twice.txt')).to.equal(first)
  })

  it('names an unknown policy', async () => {
    const { code, stderr } = await bench.run('x', 'y', '--route', 'nothing')
    expect(code).to.equal(2)
    expect(stderr).to.include('no policy `nothing` is in force')
  })

  it('keeps no value in journal, state or log', async () => {
    const files = filesBelow(join(bench.installation.folder, 'data'))
    const values = ['18657103389', '18657103390', '欧阳建国']
    const found = files.flatMap(({ path, text }) => leaksIn(text, values).map(() => path))
    expect(found).to.deep.equal([])
    expect(leaksIn(bench.gateway.output(), values)).to.deep.equal([])
  })
})

import { expect } from 'chai'
import { zipSync } from 'fflate'
import fc from 'fast-check'
import { Problem } from '../../base/problem.ts'
import { readZip, writeZip } from '../../evidence/dossier/zip.ts'

const text = (value: string) => new TextEncoder().encode(value)
const FILES = new Map([
  ['SHA256SUMS', text('sums\n')],
  ['records/a.jws', text('aaa')],
  ['records/b.jws', text('bbb')],
])
const GOOD = Buffer.from(writeZip(FILES))
const STORED = { level: 0, mtime: new Date(1980, 0, 1) } as const
const DIRECTORY = GOOD.indexOf('PK\x01\x02')
const END = GOOD.length - 22

/** Changes a copy of the good zip. */
function change(work: (bytes: Buffer) => Buffer | undefined): Buffer {
  const bytes = Buffer.from(GOOD)
  return work(bytes) ?? bytes
}
const other = (files: Record<string, Uint8Array>, options: object = {}) =>
  Buffer.from(zipSync(files, { ...STORED, ...options }))
const insert = (bytes: Buffer, at: number, more: string) =>
  Buffer.concat([bytes.subarray(0, at), Buffer.from(more), bytes.subarray(at)])

describe('the zip of a dossier', () => {
  it('is one byte string for one set of files, in whatever order they come', () => {
    const reversed = writeZip(new Map([...FILES].toReversed()))
    expect(Buffer.from(reversed).equals(GOOD)).to.equal(true)
  })

  it('gives back the files', () => {
    expect(
      [...readZip(GOOD)].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]),
    ).to.deep.equal([
      ['SHA256SUMS', 'sums\n'],
      ['records/a.jws', 'aaa'],
      ['records/b.jws', 'bbb'],
    ])
  })

  // prettier-ignore
  const REJECT: { name: string; zip: Buffer; want: RegExp }[] = [
    { name: 'nothing',                          zip: Buffer.alloc(0),                                                want: /no end of a zip/ },
    { name: 'a truncated zip',                  zip: GOOD.subarray(0, -1),                                           want: /no end of a zip/ },
    { name: 'half a zip',                       zip: GOOD.subarray(0, GOOD.length / 2),                              want: /no end of a zip/ },
    { name: 'data before it',                   zip: insert(GOOD, 0, 'x'),                                           want: /holds/ },
    { name: 'data after it',                    zip: Buffer.concat([GOOD, Buffer.from('x')]),                        want: /no end of a zip/ },
    { name: 'data between files and directory', zip: change((b) => { const z = insert(b, DIRECTORY, 'xx'); z.writeUInt32LE(DIRECTORY + 2, z.length - 6); return z }), want: /something at byte/ },
    { name: 'a comment',                        zip: change((b) => { b.writeUInt16LE(4, b.length - 2); return Buffer.concat([b, Buffer.from('note')]) }), want: /no end of a zip/ },
    { name: 'a way out of the folder',          zip: other({ '../evil': text('x') }),                                want: /a name that no dossier has/ },
    { name: 'an absolute name',                 zip: other({ '/etc/passwd': text('x') }),                            want: /a name that no dossier has/ },
    { name: 'a backslash',                      zip: other({ 'records\\..\\evil': text('x') }),                      want: /a name that no dossier has/ },
    { name: 'a drive',                          zip: other({ 'C:/evil': text('x') }),                                want: /a name that no dossier has/ },
    { name: 'a hidden file',                    zip: other({ '.bashrc': text('x') }),                                want: /a name that no dossier has/ },
    { name: 'a folder',                         zip: other({ 'records/': text('') }),                                want: /a name that no dossier has/ },
    { name: 'a name with a NUL',                zip: other({ 'a\0b': text('x') }),                                   want: /a name that no dossier has/ },
    { name: 'a name outside of ASCII',          zip: other({ 'записи': text('x') }),                                 want: /a name that no dossier has/ },
    { name: 'a name too long',                  zip: other({ ['a'.repeat(161)]: text('x') }),                        want: /a name that no dossier has/ },
    { name: 'a compressed bomb',                zip: other({ 'a.txt': new Uint8Array(5_000_000) }, { level: 9 }),    want: /compressed/ },
    { name: 'a time',                           zip: other({ 'a.txt': text('x') }, { mtime: new Date(2020, 1, 1) }), want: /something at byte/ },
    { name: 'a file that is a link',            zip: other({ 'a.txt': text('/etc/passwd') }, { os: 3, attrs: 0o120777 << 16 }), want: /something at byte/ },
    { name: 'an extra field',                   zip: other({ 'a.txt': text('x') }, { extra: { 99: text('y') } }),    want: /something at byte/ },
    { name: 'a comment of a file',              zip: other({ 'a.txt': text('x') }, { comment: 'y' }),                want: /something at byte/ },
    { name: 'another order',                    zip: other({ 'b.txt': text('x'), 'a.txt': text('x') }),              want: /something at byte/ },
    { name: 'one name twice',                   zip: change((b) => { for (let at = b.indexOf('records/b'); at >= 0; at = b.indexOf('records/b')) b.write('records/a', at); return b }), want: /`records\/a.jws` twice/ },
    { name: 'another name in the directory',    zip: change((b) => { b.write('records/c', b.lastIndexOf('records/b')); return b }), want: /something at byte/ },
    { name: 'the mark of encryption',           zip: change((b) => { b.writeUInt16LE(1, 6); return b }),             want: /something at byte/ },
    { name: 'a wrong CRC-32',                   zip: change((b) => { b.writeUInt32LE(7, DIRECTORY + 16); return b }), want: /something at byte/ },
    { name: 'a size beyond the file',           zip: change((b) => { b.writeUInt32LE(0x7fffffff, DIRECTORY + 20); return b }), want: /a false size/ },
    { name: 'two sizes of one file',            zip: change((b) => { b.writeUInt32LE(4, DIRECTORY + 24); return b }), want: /a false size/ },
    { name: 'a size that needs 64 bits',        zip: change((b) => { b.writeUInt32LE(0xffffffff, DIRECTORY + 20); return b }), want: /holds/ },
    { name: 'a count that needs 64 bits',       zip: change((b) => { b.writeUInt16LE(0xffff, END + 10); return b }), want: /more than 60000 files/ },
    { name: 'a count too high',                 zip: change((b) => { b.writeUInt16LE(4, END + 10); return b }),      want: /holds/ },
    { name: 'a count too low',                  zip: change((b) => { b.writeUInt16LE(2, END + 10); return b }),      want: /something at byte/ },
    { name: 'a directory outside of the file',  zip: change((b) => { b.writeUInt32LE(0xffffffff, END + 16); return b }), want: /a false place of its directory/ },
    { name: 'files that share bytes',           zip: change((b) => { b.writeUInt32LE(0, b.lastIndexOf('PK\x01\x02') + 42); return b }), want: /holds/ },
  ]
  for (const { name, zip, want } of REJECT) {
    it(`refuses ${name}`, () => {
      expect(() => readZip(zip))
        .to.throw(Problem, want)
        .with.property('slug', 'request-malformed')
    })
  }

  it('takes nothing but what it writes, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(GOOD.length), (noise, at) => {
        const mixed = Buffer.concat([GOOD.subarray(0, at), noise, GOOD.subarray(at)])
        if (noise.length === 0) expect(readZip(mixed).size).to.equal(3)
        else expect(() => readZip(mixed)).to.throw(Problem)
      }),
    )
  })
})

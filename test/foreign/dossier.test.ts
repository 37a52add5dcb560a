import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { exportDossier } from '../../evidence/dossier/export.ts'
import { readZip } from '../../evidence/dossier/zip.ts'
import { type Case, makeCase } from '../dossier/maker.ts'
import { createOutside } from '../dossier/outside.ts'
import { describeForeign, type Run } from './tool.ts'

const HALF_YEAR_US = 184n * 86_400_000_000n

/** The fenced blocks of VERIFY.md by their headings; the one before the first heading is `Roots`. */
function blocksOf(guide: string): Map<string, string> {
  const blocks = new Map<string, string>()
  for (const [index, part] of guide.split(/^## /m).entries()) {
    const title = index === 0 ? 'Roots' : (/· (.*)$/m.exec(part)?.[1] ?? '')
    const block = /^```sh\n([\s\S]*?)\n```$/m.exec(part)?.[1]
    if (block !== undefined) blocks.set(title, block)
  }
  return blocks
}

// prettier-ignore
const BLOCKS = [
  'Roots', 'Files', 'Signatures over the records', 'Certificates', 'Places in the log', 'Signatures over the checkpoints',
  'The log only grew', 'Time stamps', 'Opened values', 'Policies', 'Order of the records',
]

describeForeign(
  'VERIFY.md, as it is printed',
  ['/usr/bin/python3', '-c', 'import jwcrypto'],
  () => {
    let folder: string
    let it0: Case
    let blocks: Map<string, string>
    const dossier = () => join(folder, 'dossier')

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sealgate-foreign-'))
      const later = { ...systemClock, wallUs: () => systemClock.wallUs() + HALF_YEAR_US }
      const { source } = await createOutside(systemClock)
      it0 = await makeCase(join(folder, 'case'), { by: source, later: [later] })
      const zip = await exportDossier(it0.ports, {
        selection: { rids: it0.rids },
        queries: it0.rids.map((rid) => ({ rid })),
        open: [{ name: 'f:$.name', value: '测试' }],
        complete: true,
      })
      for (const [name, bytes] of readZip(zip)) {
        mkdirSync(dirname(join(dossier(), name)), { recursive: true })
        writeFileSync(join(dossier(), name), bytes)
      }
      blocks = blocksOf(readFileSync(join(dossier(), 'VERIFY.md'), 'utf8'))
    })
    after(async () => {
      await it0.close()
      rmSync(folder, { recursive: true })
    })

    const run = (title: string): Run => {
      const input = blocks.get(title)
      if (input === undefined) throw new Error(`no block ${title}`)
      const { status, stdout, stderr } = spawnSync('bash', ['-eu'], { cwd: dossier(), input, encoding: 'utf8', timeout: 60_000 }) // prettier-ignore
      return { ok: status === 0, text: stdout + stderr }
    }

    it('has a block for each sort of file', () => {
      expect([...blocks.keys()]).to.deep.equal(BLOCKS)
    })

    it('checks certificates of seals and of time stamps against the lists', () => {
      for (const title of ['Certificates', 'Time stamps']) {
        expect(blocks.get(title)).to.include(' -crl_check_all ')
      }
    })

    for (const title of BLOCKS) {
      it(`passes: ${title}`, () => {
        const { ok, text } = run(title)
        expect(ok, text).to.equal(true)
      })
    }

    /** `at` is a place in the file, as a share of its length. */
    // prettier-ignore
    const MUTATIONS: { title: string; file: RegExp; at?: number }[] = [
    { title: 'Files',                            file: /^catalogue\.json$/ },
    { title: 'Files',                            file: /^VERIFY\.md$/ },
    { title: 'Signatures over the records',      file: /^records\// },
    { title: 'Signatures over the records',      file: /^certificates\// },
    { title: 'Certificates',                     file: /^certificates\// },
    { title: 'Certificates',                     file: /^revocation\// },
    { title: 'Places in the log',                file: /^records\// },
    { title: 'Places in the log',                file: /^leaves\// },
    { title: 'Places in the log',                file: /^proofs\//, at: 0.02 },
    { title: 'Places in the log',                file: /^proofs\// },
    { title: 'Signatures over the checkpoints',  file: /^checkpoints\//, at: 0.007 },
    { title: 'The log only grew',                file: /^consistency\//, at: 0.01 },
    { title: 'The log only grew',                file: /^checkpoints\//, at: 0.007 },
    { title: 'Time stamps',                      file: /^timestamps\//, at: 0.9 },
    { title: 'Time stamps',                      file: /^checkpoints\// },
    { title: 'Time stamps',                      file: /^timestamp-roots\// },
    { title: 'Time stamps',                      file: /^revocation\// },
    { title: 'Opened values',                    file: /^disclosures\// },
    { title: 'Policies',                         file: /^policies\// },
    { title: 'Order of the records',             file: /^records\// },
  ]
    for (const { title, file, at = 0.5 } of MUTATIONS) {
      it(`fails on changed files ${file.source}: ${title}`, () => {
        const names = readdirSync(dossier(), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ parentPath, name }) => join(parentPath, name))
          .filter((path) => file.test(path.slice(dossier().length + 1)))
        const before = names.map((name) => readFileSync(name))
        for (const [index, name] of names.entries()) {
          const bytes = Buffer.from(before[index] ?? [])
          const place = Math.floor(bytes.length * at)
          // Letters to letters: text files stay text, and what is wrong is what they say.
          bytes[place] = bytes[place] === 0x41 ? 0x42 : 0x41
          writeFileSync(name, bytes)
        }
        const { ok, text } = run(title)
        for (const [index, name] of names.entries()) writeFileSync(name, before[index] ?? '')
        expect(names).to.not.deep.equal([])
        expect(ok, text).to.equal(false)
      })
    }

    it('notices a file too many', () => {
      writeFileSync(join(dossier(), 'more.txt'), '')
      expect(run('Files').ok).to.equal(false)
      rmSync(join(dossier(), 'more.txt'))
      expect(run('Files').ok).to.equal(true)
    })
  },
)

import { Command } from 'commander'
import { expect } from 'chai'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addEvidence } from '../../cli/evidence.ts'
import { addLog } from '../../cli/log.ts'
import { addVerify } from '../../cli/verify.ts'
import { formatExported } from '../../evidence/export-format.ts'
import { formatTrust } from '../../evidence/verify-trust.ts'
import type { Config } from '../../gateway/config.ts'
import { type Evidence, makeEvidence, ORIGIN } from './evidence.ts'

interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

describe('command line', () => {
  let data: string
  let evidence: Evidence
  before(async () => {
    data = mkdtempSync(join(tmpdir(), 'sealgate-cli-'))
    evidence = await makeEvidence(data)
    await evidence.ports.index.close()
    writeFileSync(join(data, 'record.json'), formatExported(evidence.exported))
    writeFileSync(join(data, 'trust.json'), formatTrust(evidence.trust))
  })
  after(() => rmSync(data, { recursive: true }))

  /** Runs one command in this process and gives what it printed. */
  async function run(...args: string[]): Promise<Run> {
    const config: Config = {
      ...{
        file: '',
        data,
        policies: '',
        timestamp: { authorities: [], intervalMs: 60_000, recordsMax: 4096, sunsets: new Map() },
        parties: [],
        verifiers: [],
        envelopes: [],
        origin: ORIGIN,
      },
      ...{ relay: { host: '', port: 0 }, admin: { host: '', port: 0 } },
      ...{ queue: { kind: 'embedded' }, index: { kind: 'embedded' } },
      ...{ log: { kind: 'folder', path: join(data, 'log') } },
      operator: { name: 'Test', role: 'bureau' },
    }
    const program = new Command('sealgate').exitOverride()
    addVerify(program)
    addEvidence(program, async () => config)
    addLog(program, async () => config)
    const { stdout, stderr } = process
    const [write, complain, printed] = [stdout.write, stderr.write, { out: '', err: '' }]
    stdout.write = (text) => {
      printed.out += String(text)
      return true
    }
    stderr.write = (text) => {
      printed.err += String(text)
      return true
    }
    try {
      await program.parseAsync(['node', 'sealgate', ...args])
      return { code: Number(process.exitCode ?? 0), ...printed }
    } finally {
      stdout.write = write
      stderr.write = complain
      process.exitCode = 0
    }
  }

  const at = (name: string): string => join(data, name)

  it('verify: prints each check and exits 0 for a valid record', async () => {
    const { code, out } = await run('verify', at('record.json'), '--trust', at('trust.json'))
    expect(code).to.equal(0)
    expect(out)
      .to.match(/^(✓ .*\n){7}– timestamp: not stamped yet.*\n✓ disclosure: /)
      .and.match(/\n! certificate: .*\nVALID exchange [0-9a-f-]{36}\n$/)
    expect(out).to.include(
      '✓ disclosure: the salted digest of `f:$.name` stands in the record: "测试"',
    )
  })

  it('verify: exits 1 without anchors, and 1 naming the check that failed', async () => {
    const alone = await run('verify', at('record.json'))
    expect(alone.code).to.equal(1)
    expect(alone.out).to.include('NOT ANCHORED')
    const { leaf } = evidence.exported
    const other = { ...evidence.exported, leaf: leaf.replace('exchange', 'exch\u001b[2Jange') }
    writeFileSync(at('other.json'), formatExported(other))
    const { code, out } = await run('verify', at('other.json'), '--trust', at('trust.json'))
    expect(code).to.equal(1)
    expect(out).to.include('✗ leaf: ').and.to.include('NOT VALID').and.not.to.include('\u001b')
    const json = await run('verify', at('other.json'), '--trust', at('trust.json'), '--json')
    expect(JSON.parse(json.out)).to.have.property('verdict', 'invalid')
  })

  it('verify: exits 2 when there is nothing to verify', async () => {
    writeFileSync(at('bad.json'), '{}')
    for (const file of ['bad.json', 'absent.json', 'log']) {
      const { code, err } = await run('verify', at(file))
      expect(code, file).to.equal(2)
      expect(err, file).to.include(at(file))
    }
  })

  it('evidence: finds, shows and exports a record that verifies', async () => {
    const found = await run('evidence', 'search', '--since', '2026-11-24T00:00:00Z')
    expect(found.out).to.match(
      new RegExp(`^${evidence.rid}  2026-11-24T03:00:00.000000Z  exchange`),
    )
    const shown = await run('evidence', 'show', evidence.rid)
    expect(JSON.parse(shown.out)).to.have.nested.property('payload.rid', evidence.rid)
    await run('evidence', 'export', evidence.rid, '--out', at('out.json'))
    expect(statSync(at('out.json')).mode & 0o077).to.equal(0)
    expect((await run('verify', at('out.json'), '--trust', at('trust.json'))).code).to.equal(0)
  })

  it('log: fsck finds the log sound, and then not', async () => {
    const sound = await run('log', 'fsck')
    expect(sound).to.include({
      code: 0,
      err: '\r2026h2: 256 of 304 records\r2026h2: 304 of 304 records\n',
    })
    expect(sound.out).to.match(/^sound: 2026h2, 304 records of 3 instances, root /)
    const checkpoint = await run('log', 'checkpoint')
    expect(checkpoint.out).to.equal(readFileSync(at('log/2026h2/checkpoint'), 'utf8'))
    const tile = readFileSync(at('log/2026h2/tile/0/000'))
    writeFileSync(at('log/2026h2/tile/0/000'), tile.with(9, tile.readUInt8(9) ^ 1))
    const broken = await run('log', 'fsck')
    expect(broken.code).to.equal(1)
    expect(broken.err).to.include(
      'log-inconsistent: 2026h2: `tile/0/000` does not hold the hashes below it',
    )
    writeFileSync(at('log/2026h2/tile/0/000'), tile)
  })
})

import { expect } from 'chai'
import { Command } from 'commander'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addPolicyCommands } from '../../cli/policy.ts'
import { type Differs, fields, policyText } from '../gateway/policy/fixture.ts'

const KEEP_A: Differs = {
  request: fields('$.a: keep'),
  tests: '[ { name: t, request: { a: 1 }, relayed: { a: 1 } } ]',
}
const KEEP_AB: Differs = { ...KEEP_A, request: fields('$.a: keep, $.b: keep') }

describe('sealgate policy', () => {
  let folder = ''
  before(() => (folder = mkdtempSync(join(tmpdir(), 'sealgate-cli-'))))
  after(() => rmSync(folder, { recursive: true }))
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }

  /** Runs in this process; the exit code is taken back, or it would be ours. */
  async function run(...words: string[]) {
    let out = ''
    let error = ''
    const program = new Command().configureOutput({
      writeOut: (text) => {
        out += text
      },
      writeErr: (text) => {
        error += text
      },
    })
    addPolicyCommands(program)
    await program.parseAsync(['policy', ...words], { from: 'user' })
    const code = process.exitCode ?? 0
    process.exitCode = 0
    return { out, error: error.replaceAll(`${folder}/`, ''), code }
  }

  it('check: says how many are well, exit code 0', async () => {
    expect(await run('check', file('a.yaml', policyText(KEEP_A)))).to.deep.equal({
      out: '1 policy checked\n',
      error: '',
      code: 0,
    })
  })

  it('check: tells the errors and warnings of all files, exit code 2', async () => {
    const one = file('one.yaml', policyText({ ...KEEP_A, request: fields('$.a: kep') }))
    const two = file('two.yaml', policyText({ ...KEEP_A, legal: '{ basis: consent }' }))
    const { error, code } = await run('check', one, two)
    expect(error).to.match(
      /^one\.yaml:10:27: P004: there is no transform `kep`\n.*\n +\^{3}\n {2}help: did you mean `keep`\?\n/,
    )
    expect(error).to.match(/\ntwo\.yaml:1:1: warning: P109: /)
    expect(code).to.equal(2)
  })

  it('check: names a file that is not there, exit code 2', async () => {
    const { error, code } = await run('check', join(folder, 'gone.yaml'))
    expect(error).to.match(/^gone\.yaml:1:1: P011: the policy does not exist\n/)
    expect(code).to.equal(2)
  })

  it('test: lists each test, exit code 2 when one fails', async () => {
    const passing = await run('test', file('a.yaml', policyText(KEEP_A)))
    expect(passing).to.deep.equal({ out: 'p 1\n  ✔ t\n1 passed, 0 failed\n', error: '', code: 0 })
    const failing = await run(
      'test',
      file('b.yaml', policyText({ ...KEEP_A, request: fields('') })),
    )
    expect(failing.out).to.equal('p 1\n  ✘ t\n0 passed, 1 failed\n')
    expect(failing.error).to.include('b.yaml:12:51: P009: test `t` fails: $.a is missing')
    expect(failing.code).to.equal(2)
  })

  it('explain: says what happens to each value of a sample, by which line', async () => {
    const sample = file('s.json', '{"a":{"x":1},"b":2}')
    const { out, code } = await run('explain', file('a.yaml', policyText(KEEP_A)), sample)
    expect(out.replaceAll(`${folder}/`, '').split('\n').slice(3)).to.deep.equal([
      'request',
      '  $.a.x  keep, as a part of $.a     R1   a.yaml:10',
      '  $.b    dropped: no rule names it',
      '',
    ])
    expect(code).to.equal(0)
    expect(
      (await run('explain', file('a.yaml', policyText(KEEP_A)), file('bad.json', '{'))).code,
    ).to.equal(2)
  })

  it('explain: lists every rule without a sample', async () => {
    const { out } = await run('explain', file('a.yaml', policyText(KEEP_A)))
    expect(out).to.match(/^甲 A \(p, version 1\)\na → b: POST \/x\n/)
    expect(out).to.include('everything else  dropped')
  })

  // prettier-ignore
  const DIFFS: { name: string; before: Differs; after: Differs; want: RegExp; code: number }[] = [
    { name: 'widening, exit code 1',  before: KEEP_A,  after: KEEP_AB, want: /^p\n {2}\+ \$\.b now reaches b: keep {2}\(R2 .*\n1 widening, 0 narrowing, 0 neutral\n$/, code: 1 },
    { name: 'narrowing, exit code 0', before: KEEP_AB, after: KEEP_A,  want: /^p\n {2}- \$\.b no longer reaches b \(was keep\).*\n0 widening, 1 narrowing/, code: 0 },
    { name: 'nothing, exit code 0',   before: KEEP_A,  after: KEEP_A,  want: /^0 widening, 0 narrowing, 0 neutral\n$/, code: 0 },
    { name: 'nothing for a file with an error, exit code 2', before: KEEP_A, after: { ...KEEP_A, request: '[]' }, want: /^$/, code: 2 },
  ]
  for (const { name, before, after, want, code } of DIFFS) {
    it(`diff: tells ${name}`, async () => {
      const result = await run(
        'diff',
        file('old.yaml', policyText(before)),
        file('new.yaml', policyText(after)),
      )
      expect(result.out).to.match(want)
      expect(result.code).to.equal(code)
    })
  }

  it('replay: tells what past exchanges would have met', async () => {
    const manifest = [{ rule: 'R1', path: '$.b', action: 'keep', count: 3 }]
    const records = file(
      'r.jsonl',
      `${JSON.stringify({ policy: { id: 'p', version: 1 }, request: { manifest, unnamed: 1 } })}\n`,
    )
    const { out, code } = await run('replay', file('a.yaml', policyText(KEEP_A)), records)
    expect(out).to.equal(
      '  - request $.b: keep → nothing, 3 values in 1 exchanges\n' +
        '1 exchanges replayed, 1 changes; 1 values had no rule, and no record of what they were\n',
    )
    expect(code).to.equal(0)
  })

  it('schema: prints the file that stands beside the policies', async () => {
    const { out } = await run('schema', 'policies')
    const { $defs } = JSON.parse(out) as { $defs: { action: { anyOf: [{ enum: string[] }] } } }
    expect($defs.action.anyOf[0].enum).to.include.members(['keep', 'drop', 'tokenize'])
  })
})

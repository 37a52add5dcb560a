/** Every mistake has a number, a place and a help. @module */
import { expect } from 'chai'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReport } from '../../../base/diagnostic.ts'
import { loadKinds } from '../../../gateway/policy/kinds-file.ts'
import { MISTAKES } from '../../../gateway/policy/mistakes.ts'
import { readPolicyFiles } from '../../../gateway/policy/folder.ts'
import { checkPolicies, loadRegistry } from '../../../gateway/policy/registry.ts'
import { createRehearsal } from '../../../gateway/policy/rehearsal.ts'
import { loadDictionary } from '../../guard/dictionary.ts'
import { type Differs, fields, policyText } from './fixture.ts'

const kinds = loadDictionary()
const text = (differs: Differs) => policyText(differs)
const PARTIES = [{ id: 'a', role: 'other' as const, auth: [] }]

// prettier-ignore
const TABLE: { code: string; name: string; files: Record<string, string>; at: string }[] = [
  { code: 'P001', name: 'a tag',                   files: { p: text({ frame: 'mode: !x enforce' }) },              at: '9:7' },
  { code: 'P001', name: 'a key twice',             files: { p: text({ frame: 'purpose: again' }) },                at: '9:1' },
  { code: 'P001', name: 'a bracket left open',     files: { p: text({ request: '{ fields: {' }) },                 at: '11:1' },
  { code: 'P002', name: 'an unknown key',          files: { p: text({ frame: 'modus: enforce' }) },                at: '9:1' },
  { code: 'P002', name: 'a missing key',           files: { p: text({}).replace(/^to: b\n/m, '') },                at: '1:1' },
  { code: 'P002', name: 'an unusable value',       files: { p: text({}).replace('version: 1', 'version: x') },     at: '2:10' },
  { code: 'P003', name: 'a filter',                files: { p: text({ request: fields('"$[?@.a]": keep') }) },     at: '10:25' },
  { code: 'P004', name: 'an unknown transform',    files: { p: text({ request: fields('$.a: kep') }) },            at: '10:27' },
  { code: 'P004', name: 'two transforms',          files: { p: text({ request: fields('$.a: { keep: , drop: }') }) }, at: '10:37' },
  { code: 'P005', name: 'an unknown kind',         files: { p: text({ request: fields('$.a: { kind: mobil, drop: }') }) }, at: '10:35' },
  { code: 'P006', name: 'one path twice',          files: { p: text({ request: fields('$.a: keep, "$[\'a\']": drop') }) }, at: '10:33' },
  { code: 'P006', name: 'two paths of equal right', files: { p: text({ request: fields('$..a..c: keep, $..b..c: drop') }) }, at: '10:37' },
  { code: 'P007', name: 'an unusable parameter',   files: { p: text({ request: fields('$.a: { mask: nonsense }') }) }, at: '10:22' },
  { code: 'P007', name: 'a parameter of the path without a rule', files: { p: text({}).replace('path: /x', 'path: "/x/{id}"') }, at: '' },
  { code: 'P008', name: 'an unknown party',        files: { p: text({}) },                                         at: '5:5' },
  { code: 'P009', name: 'a failing test',          files: { p: text({ tests: '[ { name: t, request: {}, relayed: { a: 1 } } ]' }) }, at: '12:45' },
  { code: 'P010', name: 'one version in two files', files: { p: text({}), q: text({}) },                           at: '1:1' },
  { code: 'P010', name: 'one route in two policies', files: { p: text({}), q: text({}).replace('policy: p', 'policy: q') }, at: '1:1' },
  { code: 'P011', name: 'a folder without a policy', files: {},                                                    at: '1:1' },
  { code: 'P012', name: 'a wrong dictionary',      files: { p: text({}), kinds: 'kinds: {}\n' },                   at: '1:1' },
  { code: 'P013', name: 'an unknown envelope',     files: { p: text({ request: '{ envelope: { open: x } }' }) },   at: '10:22' },
]

describe('the mistakes of a policy', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sealgate-mistakes-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  async function findings(files: Record<string, string>, code: string) {
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(folder, `${name}.yaml`), content)
    const report = createReport()
    loadKinds(folder, report)
    const transforms = createRehearsal(kinds)
    await loadRegistry(folder, { transforms, kinds, envelopes: [] }, report)
    if (code === 'P008') {
      await checkPolicies(readPolicyFiles([folder], report), { kinds, parties: PARTIES }, report)
    }
    return report.diagnostics.filter(({ severity }) => severity === 'error')
  }

  for (const { code, name, files, at } of TABLE) {
    it(`have a number, a place and a help: ${name}`, async () => {
      const found = await findings(files, code)
      const list = found.map((one) => `${one.code} ${one.at.line}:${one.at.column} ${one.message}`)
      expect(
        found.some((one) => one.code === undefined),
        list.join('\n'),
      ).to.equal(false)
      const [first] = found.filter((one) => one.code === code)
      expect(first, list.join('\n')).to.not.equal(undefined)
      if (at !== '') expect(`${first?.at.line}:${first?.at.column}`, list.join('\n')).to.equal(at)
      for (const { help, message } of found) expect(help, message).to.not.equal('')
    })
  }

  it('are told all at once, whatever stage finds them', async () => {
    const policy = text({
      legal: '{ basis: contrct }',
      request: fields(
        '$.a: kep, $.b: { mask: mobil }, $.b: drop, $.c: { tokenize: opaque, ttl: 3d }',
      ),
    })
    const found = await findings({ p: policy.replace('$.b: drop', '"$[\'b\']": drop') }, 'all')
    expect(found.map((one) => `${one.code} ${one.at.line}:${one.at.column}`)).to.deep.equal([
      'P002 8:17',
      'P004 10:27',
      'P006 10:54',
      'P007 10:32',
      'P007 10:70',
    ])
  })

  it('have an example for each number', () => {
    expect(Object.keys(MISTAKES)).to.deep.equal([...new Set(TABLE.map(({ code }) => code))])
  })
})

import { expect } from 'chai'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReport, type Report, renderReport } from '../../../base/diagnostic.ts'
import { loadKinds } from '../../../gateway/policy/kinds-file.ts'
import { digestOfPolicies, openLive } from '../../../gateway/policy/live.ts'
import { checkPolicies, loadRegistry } from '../../../gateway/policy/registry.ts'
import { createRehearsal } from '../../../gateway/policy/rehearsal.ts'
import { rewriteBody } from '../../../gateway/transform/rewrite.ts'
import { type Differs, fields, policyText } from './fixture.ts'

const PORTS = { transforms: createRehearsal(undefined) }
const KEEP_A: Differs = {
  request: fields('$.a: keep'),
  tests: '[ { name: t, request: { a: 1, b: 2 }, relayed: { a: 1 } } ]',
}

describe('loadRegistry', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sealgate-policies-'))))
  afterEach(() => rmSync(folder, { recursive: true }))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)

  async function load() {
    const report = createReport()
    const registry = await loadRegistry(folder, PORTS, report)
    const errors = report.diagnostics
      .filter(({ severity }) => severity === 'error')
      .map(
        ({ at, message }) =>
          `${at.file.replace(`${folder}/`, '')}:${at.line}:${at.column} ${message}`,
      )
    return { registry, errors, rendered: renderReport(report) }
  }

  it('loads the policies of this repository, with their kinds', async () => {
    const report = createReport()
    const kinds = loadKinds('policies', report)
    const ports = { transforms: createRehearsal(kinds), ...(kinds === undefined ? {} : { kinds }) }
    const registry = await loadRegistry('policies', ports, report)
    expect(renderReport(report)).to.equal('')
    const match = registry?.match(
      'sunrise-platform',
      'harbour-bank',
      'POST',
      '/credit/applications',
    )
    expect(match?.enforced.policy.id).to.equal('credit-application')
    expect(
      registry?.match('harbour-bank', 'sunrise-platform', 'POST', '/credit/applications'),
    ).to.equal(undefined)
  })

  it('runs the leak guard over what a test relays', async () => {
    const report = createReport()
    const kinds = loadKinds('policies', report)
    const tests = '[ { name: t, request: { a: "13800138000" }, relayed: { a: "13800138000" } } ]'
    const files = [{ file: 'p.yaml', text: policyText({ ...KEEP_A, tests }) }]
    await checkPolicies(files, kinds === undefined ? {} : { kinds }, report)
    expect(
      report.diagnostics.map(({ at, message }) => `${at.line}:${at.column} ${message}`)[0],
    ).to.match(/^12:10 test `t` fails: the request was refused: leak-detected: found `mobile`/)
    const allowed = files.map(({ file, text }) => ({
      file,
      text: text.replace('$.a: keep', '$.a: { kind: mobile, keep: , reason: r }'),
    }))
    const again = createReport()
    await checkPolicies(allowed, kinds === undefined ? {} : { kinds }, again)
    expect(renderReport(again)).to.equal('')
  })

  it('gives a matched route that rewrites', async () => {
    write('p.yaml', policyText(KEEP_A))
    const { registry, errors } = await load()
    expect(errors).to.deep.equal([])
    const route = registry?.match('a', 'b', 'POST', '/x')?.enforced.route
    if (route === undefined) throw new Error('no route')
    const { bytes } = await rewriteBody(route.request, Buffer.from('{"a":1.10,"b":2}'))
    expect(bytes.toString()).to.equal('{"a":1.10}')
  })

  it('refuses everything when one policy fails its own test, and says which', async () => {
    write('a.yaml', policyText(KEEP_A))
    write(
      'b.yaml',
      policyText({ ...KEEP_A, frame: 'mode: shadow', request: fields('$.b: keep') }).replace(
        'version: 1',
        'version: 2',
      ),
    )
    const { registry, errors } = await load()
    expect(registry).to.equal(undefined)
    expect(errors).to.deep.equal([
      'b.yaml:12:57 test `t` fails: $.a is missing',
      'b.yaml:12:55 test `t` fails: $.b should not be there',
    ])
  })

  // prettier-ignore
  const TESTS: { name: string; policy: Differs; want: string[] }[] = [
    { name: 'a text of `never` that leaves',  policy: { ...KEEP_A, tests: '[ { name: t, request: { a: "x-138-y" }, never: [ "138" ] } ]' }, want: ['p.yaml:12:10 test `t` fails: text 1 of `never` leaves with the request'] },
    { name: 'a text that leaves escaped',     policy: { ...KEEP_A, tests: `[ { name: t, request: '{"a":"\\u4e2d"}', never: [ 中 ] } ]` }, want: ['p.yaml:12:10 test `t` fails: text 1 of `never` leaves with the request'] },
    { name: 'a refusal that does not come',   policy: { ...KEEP_A, tests: '[ { name: t, request: { a: 1 }, refused: x } ]' }, want: ['p.yaml:12:10 test `t` fails: the request should have been refused and was not'] },
    { name: 'nothing when it is refused',     policy: { ...KEEP_A, tests: `[ { name: t, request: '{"a":1,"a":2}', refused: body-malformed } ]` }, want: [] },
    { name: 'a refusal for another reason',   policy: { request: '{ unnamed: refuse }', tests: '[ { name: t, request: { z: 1 }, refused: body-malformed } ]' }, want: ['p.yaml:12:10 test `t` fails: it was refused for another reason: policy-refused'] },
    { name: 'an unexpected refusal',          policy: { request: '{ unnamed: refuse }', tests: '[ { name: t, request: { z: 1 }, relayed: {} } ]' }, want: ['p.yaml:12:10 test `t` fails: the request was refused: policy-refused'] },
    { name: 'nothing when a token comes back', policy: { response: fields('$.m: { reveal: mobile }'), tests: '[ { name: t, response: { m: { token: mobile, of: "138" } }, answered: { m: "138" } } ]' }, want: [] },
    { name: 'a token of another kind',        policy: { response: fields('$.m: { reveal: mobile }'), tests: '[ { name: t, response: { m: { token: name, of: "138" } }, answered: { m: "138" } } ]' }, want: ['p.yaml:12:10 test `t` fails: the response was refused: value-unsuitable'] },
    { name: 'nothing for a callback\'s token', policy: { request: fields('$.m: { reveal: mobile }'), tests: '[ { name: t, request: { m: { token: mobile, of: "138" } }, relayed: { m: "138" } } ]' }, want: [] },
    { name: 'a parameter that a transform refuses', policy: { request: fields('$.m: { mask: nonsense }') }, want: ['p.yaml:10:22 `preset` of `mask` is not usable'] },
  ]
  for (const { name, policy, want } of TESTS) {
    it(`tells ${name}`, async () => {
      write('p.yaml', policyText(policy))
      const { registry, errors } = await load()
      expect(errors.length, String(errors)).to.equal(want.length)
      for (const [index, text] of want.entries()) expect(errors[index]).to.include(text)
      expect(registry === undefined).to.equal(want.length > 0)
    })
  }

  it('refuses an empty folder and one that is not there', async () => {
    expect((await load()).errors[0]).to.include('the folder holds no policy')
    const report = createReport()
    await loadRegistry(join(folder, 'gone'), PORTS, report)
    expect(report.errorCount).to.be.greaterThan(0)
  })

  it('returns a shadow version beside the enforced one', async () => {
    write('a.yaml', policyText(KEEP_A))
    write(
      'b.yaml',
      policyText({ ...KEEP_A, frame: 'mode: shadow' }).replace('version: 1', 'version: 2'),
    )
    const match = (await load()).registry?.match('a', 'b', 'POST', '/x')
    expect([match?.enforced.policy.version, match?.shadow?.policy.version]).to.deep.equal([1, 2])
  })
})

describe('openLive', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sealgate-live-'))))
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const write = (differs: Differs, version = 1) =>
    writeFileSync(
      join(folder, 'p.yaml'),
      policyText(differs).replace('version: 1', `version: ${version}`),
    )

  const source = () => ({
    folders: [folder],
    digest: () => digestOfPolicies(folder),
    load: (report: Report) => loadRegistry(folder, PORTS, report),
  })

  async function open() {
    const told: string[] = []
    const live = await openLive(source(), createReport(), {
      reloaded: (registry, before) =>
        void told.push(
          `${before.active[0]?.policy.version} → ${registry.active[0]?.policy.version}`,
        ),
      rejected: (report) => void told.push(report.diagnostics.map(({ message }) => message).join()),
    })
    if (live === undefined) throw new Error('not opened')
    const version = () => live.current().match('a', 'b', 'POST', '/x')?.enforced.policy.version
    return { live, told, version }
  }

  it('puts a changed folder in force, keeps the last good one, and recovers', async () => {
    write(KEEP_A)
    const { live, told, version } = await open()
    write(KEEP_A, 2)
    await live.reload()
    expect(version()).to.equal(2)
    write({ ...KEEP_A, request: fields('$.b: keep') }, 3)
    await live.reload()
    expect(version()).to.equal(2)
    rmSync(join(folder, 'p.yaml'))
    await live.reload()
    expect(version()).to.equal(2)
    write(KEEP_A, 4)
    await live.reload()
    live.close()
    expect(version()).to.equal(4)
    expect(told).to.have.length(4)
    expect(told[0]).to.equal('1 → 2')
    expect(told[1]).to.match(/^test `t` fails.*test `t` fails/)
    expect(told[2]).to.equal('the folder holds no policy')
    expect(told[3]).to.equal('2 → 4')
  })

  it('does nothing when the bytes are the same', async () => {
    write(KEEP_A)
    const { live, told } = await open()
    const before = live.current()
    write(KEEP_A)
    mkdirSync(join(folder, 'sub'))
    await live.reload()
    live.close()
    expect(live.current()).to.equal(before)
    expect(told).to.deep.equal([])
  })

  it('notices a change by itself', async () => {
    write(KEEP_A)
    const reloaded = Promise.withResolvers<void>()
    const live = await openLive(source(), createReport(), {
      reloaded: () => reloaded.resolve(),
      rejected: (report) => reloaded.reject(new Error(renderReport(report))),
    })
    write(KEEP_A, 2)
    await reloaded.promise
    live?.close()
    expect(live?.current().active[0]?.policy.version).to.equal(2)
  })

  it('opens nothing when the folder is bad at the start', async () => {
    const report = createReport()
    const events = { reloaded: () => {}, rejected: () => {} }
    expect(await openLive(source(), report, events)).to.equal(undefined)
    expect(report.errorCount).to.equal(1)
  })
})

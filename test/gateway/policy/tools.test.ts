import { expect } from 'chai'
import fc from 'fast-check'
import { createReport } from '../../../base/diagnostic.ts'
import { createRuleCounters } from '../../../gateway/policy/counters.ts'
import { explainSample } from '../../../gateway/policy/explain.ts'
import { parsePast, replayManifests } from '../../../gateway/policy/replay.ts'
import { createRehearsal } from '../../../gateway/policy/rehearsal.ts'
import { compileRoute } from '../../../gateway/transform/compile.ts'
import { rewriteBody } from '../../../gateway/transform/rewrite.ts'
import { fields, policyOf } from './fixture.ts'

const TABLE = createRehearsal(undefined)
const POLICY = policyOf({
  request: fields(
    '$.a: keep, $.a.x: drop, "$.list[*].m": { kind: mobile, tokenize: opaque }, $..z: drop, $.c: { mask: all }',
  ),
})

async function manifestOf(policy: typeof POLICY, body: unknown) {
  const route = compileRoute(policy, TABLE, () => {})
  return rewriteBody(route.request, Buffer.from(JSON.stringify(body)))
}

describe('explainSample', () => {
  it('says what happens to each value, by which rule', () => {
    const sample = '{"a":{"x":1,"y":[2]},"list":[{"m":"1","n":"2"}],"q":{"z":3},"c":{"d":4},"e":[]}'
    expect(
      explainSample(POLICY.request, Buffer.from(sample))?.map(
        ({ what, happens, rule }) => `${what} | ${happens} | ${rule?.id}`,
      ),
    ).to.deep.equal([
      '$.a.x | drop | R2',
      '$.a.y[0] | keep, as a part of $.a | R1',
      '$.list[0].m | tokenize: opaque (mobile) | R3',
      '$.list[0].n | dropped: no rule names it | undefined',
      '$.q.z | drop | R4',
      '$.c.d | refused: the rule changes $.c as one value, and it is not one | R5',
      '$.e | dropped: no rule names it | undefined',
    ])
  })

  it('agrees with the engine about what may not stand where a result goes', async () => {
    const policy = policyOf({
      request: fields('$.day: { generalise: year, to: $.year }, $.o: keep'),
    })
    const sample = { day: '2000-01-02', o: { year: 7 } }
    expect((await manifestOf(policy, { ...sample, year: 9 })).bytes.toString()).to.equal(
      '{"year":"2000","o":{"year":7}}',
    )
    const told = explainSample(policy.request, Buffer.from(JSON.stringify({ ...sample, year: 9 })))
    expect(told?.map(({ happens }) => happens)).to.deep.equal([
      'generalise: year → $.year',
      'keep, as a part of $.o',
      'dropped: no rule names it',
    ])
  })

  it('agrees with the engine on every value that is kept', async () => {
    const policy = policyOf({
      request: fields('$.a: keep, $.a.b: drop, $..b.c: keep, "$.l[*]": keep, "$.l[0]": drop'),
    })
    const name = fc.constantFrom('a', 'b', 'c', 'l', 'z')
    const body = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.integer({ min: 0, max: 9 }),
        tie('map'),
        fc.array(tie('node'), { minLength: 1, maxLength: 2 }),
      ),
      map: fc.dictionary(name, tie('node'), { minKeys: 1, maxKeys: 3 }),
    })).map
    await fc.assert(
      fc.asyncProperty(body, async (value) => {
        const explained = explainSample(policy.request, Buffer.from(JSON.stringify(value))) ?? []
        const kept = explained.filter(({ happens }) => happens.startsWith('keep')).length
        const { bytes } = await manifestOf(policy, value)
        expect([...bytes.toString().matchAll(/(?<!")\d/g)].length).to.equal(kept)
      }),
      { numRuns: 300 },
    )
  })
})

describe('replayManifests', () => {
  it('tells what a new version would have changed, from manifests alone', async () => {
    const body = { a: { y: 1 }, list: [{ m: '138' }, { m: '139' }], u: 1 }
    const { manifest, unnamed } = await manifestOf(POLICY, body)
    const past = { policy: { id: 'p', version: 1 }, request: { manifest, unnamed } }
    const next = policyOf({ request: fields('$.list: keep, $.u: keep') })
    const { exchanges, changes, unnamed: unknown } = replayManifests(next, [past, past])
    expect({ exchanges, unknown }).to.deep.equal({ exchanges: 2, unknown: 2 })
    expect(
      changes.map(({ what, before, after, isWidening, values }) => ({
        what,
        before,
        after,
        isWidening,
        values,
      })),
    ).to.deep.equal([
      { what: '$.a', before: 'keep', after: 'nothing', isWidening: false, values: 2 },
      {
        what: '$.list[*].m',
        before: 'tokenize (mobile)',
        after: 'keep',
        isWidening: true,
        values: 4,
      },
    ])
    expect(replayManifests(POLICY, [past]).changes).to.deep.equal([])
    expect(
      replayManifests(POLICY, [{ ...past, policy: { id: 'other', version: 1 } }]).exchanges,
    ).to.equal(0)
  })

  it('reads payloads and sealed records, and tells a line that is neither', () => {
    const payload = JSON.stringify({
      kind: 'exchange',
      policy: { id: 'p', version: 1 },
      request: { manifest: [], unnamed: 0 },
    })
    const sealed = `e30.${Buffer.from(payload).toString('base64url')}.AA`
    const report = createReport()
    expect(
      parsePast('r', `${payload}\n\n${sealed}\n{"kind":"key"}\nnonsense\n`, report),
    ).to.have.length(2)
    expect(report.diagnostics.map(({ at }) => at.line)).to.deep.equal([5])
  })
})

describe('createRuleCounters', () => {
  it('counts by rule, and finds rules that never met a value', async () => {
    const counters = createRuleCounters()
    const { manifest } = await manifestOf(POLICY, { a: { x: 1 }, list: [{ m: '1' }, { m: '2' }] })
    expect(counters.deadRules([POLICY], 1)).to.deep.equal([])
    counters.count(POLICY, manifest)
    counters.count(POLICY, manifest)
    const [, , token] = POLICY.request.fields
    expect(token && counters.hits(POLICY, token)).to.equal(4)
    expect(counters.deadRules([POLICY], 2).map(({ rule }) => rule.text)).to.deep.equal([
      '$..z',
      '$.c',
    ])
    expect(counters.deadRules([POLICY], 3)).to.deep.equal([])
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { Problem } from '../../base/problem.ts'
import type { Rewritten } from '../../gateway/transform/transform.ts'
import { rewriteBody } from '../../gateway/transform/rewrite.ts'
import { interpret, type Verdict } from '../reference/interpreter.ts'
import { type Tree, write } from '../reference/tree.ts'
import { RUNS, SEED, sketch, tree } from './generators.ts'
import { compile, rules } from './policies.ts'

function verdictOf(run: () => Verdict): Verdict | string {
  try {
    return run()
  } catch (error) {
    return (error as Error).message
  }
}

function engineVerdict(
  direction: ReturnType<typeof compile>['route']['request'],
  body: string,
): Omit<Verdict, 'kept'> | string {
  try {
    const { bytes, manifest, unnamed, claims } = rewriteBody(
      direction,
      Buffer.from(body),
    ) as Rewritten
    return {
      text: bytes.toString(),
      counts: Object.fromEntries(manifest.map(({ rule: id, count }) => [id, count])),
      unnamed,
      claims: claims.map((claim) => `${claim.name} ${claim.json}`),
    }
  } catch (error) {
    if (error instanceof Problem) return error.slug
    throw error
  }
}

function scalarsOf(tree: Tree): string[] {
  if ('source' in tree) return [tree.source]
  return ('array' in tree ? tree.array : tree.object.map(({ value }) => value)).flatMap(scalarsOf)
}

/** The text in every form that a careless gateway might pass it on in. */
function formsOf(source: string): string[] {
  const text = source.startsWith('"') ? (JSON.parse(source) as string) : source
  const escaped = [...text]
    .map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
  const base64 = Buffer.from(text).toString('base64').slice(0, -4)
  return [
    text,
    source.replaceAll('"', ''),
    encodeURIComponent(text),
    escaped,
    base64,
    Buffer.from(text).toString('hex'),
  ]
}

function checkAgreement(
  { fields, unnamed }: { fields: Record<string, string>; unnamed: 'drop' | 'refuse' },
  body: Tree,
): boolean {
  const { route, complaints } = compile({ fields, unnamed })
  if (complaints.length > 0) return false
  const want = verdictOf(() => interpret(rules(fields), unnamed, body))
  const got = engineVerdict(route.request, write(body))
  if (typeof want === 'string' || typeof got === 'string') {
    expect(got).to.equal(want)
    return true
  }
  const { kept, ...rest } = want
  expect(got).to.deep.equal(rest)
  const long = (source: string) => source.length > 4
  for (const source of kept) expect(got.text).to.include(source)
  for (const source of scalarsOf(body).filter((each) => long(each) && !kept.includes(each))) {
    for (const form of formsOf(source)) expect(got.text).to.not.include(form)
  }
  return true
}

describe(`agreement with the reference interpreter (seed ${SEED}, ${RUNS} runs)`, () => {
  it('says the same of every policy and body, and lets no other value out', function () {
    this.timeout(Math.max(20_000, RUNS * 10))
    let decided = 0
    fc.assert(
      fc.property(sketch, tree, (policy, body) => {
        if (checkAgreement(policy, body)) decided++
      }),
      { numRuns: RUNS, seed: SEED },
    )
    expect(decided).to.be.above(RUNS / 2)
  })
})

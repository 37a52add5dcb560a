import { expect } from 'chai'
import fc from 'fast-check'
import { Problem } from '../../base/problem.ts'
import type { Rewritten } from '../../gateway/transform/transform.ts'
import { rewriteBody } from '../../gateway/transform/rewrite.ts'
import { interpret, type Tree, type Verdict, write } from '../reference/interpreter.ts'
import { compile, rules } from './policies.ts'

/** `SEALGATE_TEST_RUNS=100000 SEALGATE_TEST_SEED=…` for the long run. */
const RUNS = Number(process.env['SEALGATE_TEST_RUNS'] ?? 3000)
const SEED = Number(process.env['SEALGATE_TEST_SEED'] ?? Date.now() % 2 ** 31)

const name = fc.constantFrom('a', 'b', 'c', 'u1')
const SECRETS = ['13800138000', '张三丰', '11010519491231002X', 'l\u00fc+"\\/']
/** A value that no other value contains, spelled in one of the ways of RFC 8259. */
const scalar = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.nat(9999), fc.constantFrom(...SECRETS), fc.boolean())
        .map(([n, text, escaped]) => {
          const plain = JSON.stringify(`<${n}${text}>`)
          return escaped
            ? plain.replace(
                /[^"\\x00-\x7f]/g,
                (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
              )
            : plain
        }),
    },
    fc.nat(99999).map((n) => `7${String(n).padStart(5, '0')}.10e+0`),
    fc.constantFrom('true', 'null'),
  )
  .map((source): Tree => ({ source }))

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true, maxDepth: 5 },
    scalar,
    fc.array(tie('tree'), { maxLength: 3 }).map((array): Tree => ({ array })),
    fc
      .uniqueArray(fc.tuple(name, tie('tree'), fc.boolean()), {
        maxLength: 4,
        selector: ([key]) => key,
      })
      .map((members): Tree => ({
        object: members.map(([key, value, escaped]) => ({
          name: key,
          value,
          spelling: escaped
            ? `"\\u00${key.charCodeAt(0).toString(16)}${key.slice(1)}"`
            : `"${key}"`,
        })),
      })),
  ),
}))

const step = fc.constantFrom('.a', '.b', '.c', '.a', '.b', '[*]', '[0]', '[1]', '..a', '..b', '..*')
const rule = fc
  .tuple(
    fc.array(step, { maxLength: 4 }),
    fc.constantFrom('keep', 'keep', 'drop', 'length', 'constant', 'to'),
  )
  .map(([steps, action]): [string, string] => {
    const text = `$${steps.join('')}`
    if (action !== 'to') return [text, steps.length === 0 && action === 'drop' ? 'keep' : action]
    return /\.[abc]$/.test(text) ? [text, `length > ${text.slice(0, -1)}new`] : [text, 'keep']
  })
const sketch = fc.record({
  fields: fc
    .array(rule, { minLength: 1, maxLength: 6 })
    .map((entries) => Object.fromEntries(entries)),
  unnamed: fc.constantFrom('drop', 'drop', 'drop', 'refuse') as fc.Arbitrary<'drop' | 'refuse'>,
})

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

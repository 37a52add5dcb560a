/** Random policies and bodies. @module */
import fc from 'fast-check'
import type { Tree } from '../reference/tree.ts'

/** `SEALGATE_TEST_RUNS=100000 SEALGATE_TEST_SEED=…` for the long run. */
export const RUNS = Number(process.env['SEALGATE_TEST_RUNS'] ?? 3000)
/** Printed with each run. */
export const SEED = Number(process.env['SEALGATE_TEST_SEED'] ?? Date.now() % 2 ** 31)

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

const { tree: anyTree } = fc.letrec<{ tree: Tree }>((tie) => ({
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
/** Any small set of rules; a few are refused by the compiler. */
export const sketch = fc.record({
  fields: fc
    .array(rule, { minLength: 1, maxLength: 6 })
    .map((entries) => Object.fromEntries(entries)),
  unnamed: fc.constantFrom('drop', 'drop', 'drop', 'refuse') as fc.Arbitrary<'drop' | 'refuse'>,
})

/** Any small body; values differ, names and values are spelled in several ways. */
export const tree: fc.Arbitrary<Tree> = anyTree

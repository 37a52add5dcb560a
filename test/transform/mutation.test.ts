import { expect } from 'chai'
import fc from 'fast-check'
import { Problem } from '../../base/problem.ts'
import { rewriteBody } from '../../gateway/transform/rewrite.ts'
import type { Rewritten } from '../../gateway/transform/transform.ts'
import { write } from '../reference/tree.ts'
import { RUNS, SEED, tree } from './generators.ts'
import { compile } from './policies.ts'

const { request } = compile({ fields: { $: 'keep', '$..a': 'length' } }).route

/** What the engine makes of the bytes; undefined when it refuses them. */
function rewrite(body: Buffer): Buffer | undefined {
  try {
    return (rewriteBody(request, body) as Rewritten).bytes
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

/** JSON.parse, which accepts all that the scanner accepts, and more. */
function parse(body: Buffer): { value: unknown } | undefined {
  try {
    return {
      value: JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)),
    }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}

describe(`damaged bodies (seed ${SEED})`, () => {
  it('refuses every proper prefix of an object', () => {
    const body = Buffer.from('{"a":[1.5e3,"\\ud83d\\ude00中",{"b":null}],"c":true}')
    for (let end = 0; end < body.length; end++) {
      expect(rewrite(body.subarray(0, end)), `prefix of ${end}`).to.equal(undefined)
    }
  })

  it('accepts no damaged body that JSON.parse refuses, and writes what it can read again', () => {
    const damage = fc.array(
      fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"\\{}[]:,0e-. ')))),
      { minLength: 1, maxLength: 3 },
    )
    fc.assert(
      fc.property(tree, damage, (value, places) => {
        const body = Buffer.from(write(value))
        for (const [place, byte] of places) body[place % body.length] = byte
        const once = rewrite(body)
        if (once === undefined) return
        expect(parse(body), 'accepted by JSON.parse').to.not.equal(undefined)
        expect(parse(once), 'output').to.not.equal(undefined)
        expect(rewrite(once), 'rewritten again').to.not.equal(undefined)
      }),
      { numRuns: RUNS, seed: SEED },
    )
  })
})

/**
 * How the cost of one exchange's bytes grows with the policy: rules of one policy and routes of one pair of
 * parties, 1 to 1,000, on the same body. `node bench/growth.ts` @module
 */
import assert from 'node:assert/strict'
import { createMatch } from '../gateway/policy/routes.ts'
import type { Policy } from '../gateway/policy/policy.ts'
import { rewriteBody } from '../gateway/transform/rewrite.ts'
import type { Rewritten } from '../gateway/transform/transform.ts'
import { compile } from '../test/transform/policies.ts'
import { leastUs } from './least.ts'

const COUNTS = [1, 10, 100, 1000]
const BATCH = 200
const LOANS = 8

/** Names that no rule of the first policy has, so that each policy decides the same body. */
const BODY = Buffer.from(
  JSON.stringify({
    id: 'A-1',
    amount: '50000.00',
    loans: Array.from({ length: LOANS }, (_, number) => ({ number, product: 'cash', term: 12 })),
    note: 'nothing of this is named',
  }),
)

/** A rule that reaches into the loans, met by the body and the last of so many, at three depths. */
function rewriteUnder(count: number): () => unknown {
  const others = Array.from({ length: count - 1 }, (_, n) => {
    const path = [`$.other${n}`, `$.group.other${n}`, `$.loans[*].other${n}`][n % 3]
    return [path, 'keep']
  })
  const { route, complaints } = compile({
    fields: Object.fromEntries([...others, ['$.loans[*].number', 'keep']]),
  })
  assert.deepEqual(complaints, [])
  const { bytes } = rewriteBody(route.request, BODY) as Rewritten
  assert.equal(JSON.parse(bytes.toString()).loans.length, LOANS)
  return () => rewriteBody(route.request, BODY)
}

/** The last of so many routes of one pair of parties. */
function matchAmong(count: number): () => unknown {
  const policies = Array.from({ length: count }, (_, n) => {
    const when = { method: 'POST', path: `/credit/product${n}/{loan}/applications` }
    return { policy: { from: 'a', to: 'b', mode: 'enforce', when } as Policy }
  })
  const match = createMatch(policies)
  const path = `/credit/product${count - 1}/L-1/applications`
  assert.equal(match('a', 'b', 'POST', path)?.enforced, policies.at(-1))
  return () => match('a', 'b', 'POST', path)
}

console.log('| rules, routes | rewrite, µs | match, µs |')
console.log('| ---: | ---: | ---: |')
for (const count of COUNTS) {
  const [rewrite = 0, match = 0] = leastUs(BATCH, rewriteUnder(count), matchAmong(count))
  console.log(`| ${count} | ${rewrite.toFixed(2)} | ${match.toFixed(2)} |`)
}

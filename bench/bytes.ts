/**
 * What the bytes of one exchange cost, stage by stage: CPU µs on the body that the end-to-end benchmark
 * sends, beside `JSON.parse` + `JSON.stringify` of it. `node bench/bytes.ts` @module
 */
import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { GCProfiler } from 'node:v8'
import { systemClock } from '../base/clock.ts'
import { createReport } from '../base/diagnostic.ts'
import { commit, derivedSecrets, nameClaims, withDecoys } from '../evidence/commitment.ts'
import { allowedBy } from '../gateway/guard/allowed.ts'
import { createGuard } from '../gateway/guard/guard.ts'
import { parsePolicy } from '../gateway/policy/parse.ts'
import { throwawayKeyRing } from '../gateway/token/ring.ts'
import { compileRoute } from '../gateway/transform/compile.ts'
import { rewriteBody } from '../gateway/transform/rewrite.ts'
import { createTransforms } from '../gateway/transform/table.ts'
import type { Rewritten } from '../gateway/transform/transform.ts'
import { loadDictionary } from '../test/guard/dictionary.ts'
import { leastUs } from './least.ts'
import { makeBody, POLICY } from './loan.ts'

const SIZES_KB = [1, 10, 100]
const HEAP_CALLS = 20_000

const kinds = loadDictionary()
const defaultMask = (kind: string) => kinds.get(kind)?.mask
const table = createTransforms({ keys: throwawayKeyRing(), clock: systemClock, defaultMask })
const known = { transforms: new Set(table.keys()) }
const policy = parsePolicy(createReport(), 'bench.yaml', POLICY, known)
assert(policy !== undefined)
const { request } = compileRoute(policy, table, (_, message) => assert.fail(message))
const guard = createGuard(kinds)
const allowed = allowedBy(policy.request)
const secrets = derivedSecrets(randomBytes(32))
const RID = '01980000-0000-7000-8000-000000000000'

const inspect = (body: Buffer) =>
  guard.inspect({
    headers: [],
    query: '',
    path: '/bench',
    body,
    mediaType: 'application/json',
    allowed,
  })
const claim = ({ claims }: Rewritten) =>
  withDecoys(commit(secrets.secretOf(RID), nameClaims(claims, new Set())), randomBytes)

/** Heap that a call takes, KB: what the collector found more than it had left the last time. */
function heapKb(call: () => unknown): number {
  const profiler = new GCProfiler()
  profiler.start()
  for (let n = 0; n < HEAP_CALLS; n++) call()
  const { statistics } = profiler.stop() ?? { statistics: [] }
  const used = statistics.map(({ beforeGC, afterGC }) => ({
    before: beforeGC.heapStatistics.usedHeapSize,
    after: afterGC.heapStatistics.usedHeapSize,
  }))
  const between = used.slice(1).map(({ before }, index) => before - (used[index]?.after ?? before))
  const calls = (HEAP_CALLS * between.length) / Math.max(1, used.length)
  return between.reduce((sum, bytes) => sum + bytes, 0) / calls / 1024
}

console.log('| body | engine | guard | claims | SHA-256 | parse + stringify | heap, KB |')
console.log('| ---: | ---: | ---: | ---: | ---: | ---: | ---: |')
for (const kb of SIZES_KB) {
  const body = makeBody(kb)
  const rewritten = rewriteBody(request, body) as Rewritten
  const { items, spouse } = JSON.parse(rewritten.bytes.toString()) as Record<string, object>
  assert.deepEqual(items, (JSON.parse(body.toString()) as { items: object }).items)
  assert.match(JSON.stringify(spouse), /^\{"mobile":"psn_mobile_1_[a-z]{36}"\}$/)
  assert.throws(() => inspect(body), /leak-detected|found/)
  const figures = leastUs(
    Math.ceil(100 / kb),
    () => rewriteBody(request, body),
    () => inspect(rewritten.bytes),
    () => claim(rewritten),
    () => hash('sha256', body, 'base64url'),
    () => Buffer.from(JSON.stringify(JSON.parse(body.toString()))),
  )
  const heap = heapKb(() => {
    const outbound = rewriteBody(request, body) as Rewritten
    inspect(outbound.bytes)
    claim(outbound)
  })
  console.log(`| ${kb} KB | ${[...figures, heap].map((figure) => figure.toFixed(1)).join(' | ')} |`)
}

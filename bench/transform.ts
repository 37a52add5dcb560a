/**
 * The engine beside `JSON.parse` + `JSON.stringify` of the same body, and how its cost grows.
 * Run it with `node bench/transform.ts`. @module
 */
import assert from 'node:assert/strict'
import type { CompiledDirection } from '../gateway/transform/compile.ts'
import { rewriteBody } from '../gateway/transform/rewrite.ts'
import type { Rewritten } from '../gateway/transform/transform.ts'
import { compile } from '../test/transform/policies.ts'
import { leastUs } from './least.ts'

const SIZES = [1, 10, 100, 1_000, 10_000].map((kilobytes) => kilobytes * 1024)

/** Eight rules: five keep, one drops, two replace; the rest of the body is unnamed. */
const fieldsUnder = (root: string) => ({
  [`${root}.applicationId`]: 'keep',
  [`${root}.amount`]: 'keep',
  [`${root}.tenure`]: 'keep',
  [`${root}.applicant.name`]: 'constant',
  [`${root}.applicant.idNumber`]: 'length',
  [`${root}.applicant.email`]: 'drop',
  [`${root}.contacts[*].relation`]: 'keep',
  [`${root}.channel`]: 'keep',
})

/** A synthetic application of about 1 KB. */
const application = (n: number) => ({
  applicationId: `A-2026-${n}`,
  amount: '50000.00',
  tenure: { unit: 'month', count: 12 },
  channel: {
    code: 'app',
    note: '授信申请'.repeat(16),
    flags: [true, false, null],
    rates: [0.0725, 7.25, 18],
  },
  applicant: {
    name: '张三',
    idNumber: '11010519491231002X',
    email: 'zhang@example.com',
    mobile: '13800138000',
  },
  contacts: [
    {
      relation: 'spouse',
      name: '李静',
      mobile: '13900139000',
      address: '北京市朝阳区某某路100号院5号楼',
    },
    {
      relation: 'friend',
      name: '王强',
      mobile: '13700137000',
      address: '上海市浦东新区某某路200弄6号',
    },
  ],
  device: { model: 'X-100', system: 'android 16', ip: '192.0.2.17', ua: 'u'.repeat(180) },
})

const wanted = ({
  applicant: _,
  contacts,
  device: __,
  ...rest
}: ReturnType<typeof application>) => ({
  ...rest,
  applicant: { name: 0, idNumber: '#18' },
  contacts: contacts.map(({ relation }) => ({ relation })),
})

function checked(direction: CompiledDirection, body: Buffer, want: unknown): () => unknown {
  const { bytes } = rewriteBody(direction, body) as Rewritten
  assert.deepEqual(JSON.parse(bytes.toString()), want)
  return () => rewriteBody(direction, body)
}

const one = compile({ fields: fieldsUnder('$') })
const many = compile({ fields: fieldsUnder('$[*]') })
assert.deepEqual([...one.complaints, ...many.complaints], [])

console.log('bytes        engine µs   parse+stringify µs   ratio   (CPU time, one body)')
const costs = SIZES.map((size, index) => {
  const unit = Buffer.byteLength(JSON.stringify(application(0)))
  const count = Math.max(1, Math.round(size / unit))
  const documents = Array.from({ length: count }, (_, n) => application(n))
  const body = Buffer.from(JSON.stringify(index === 0 ? documents[0] : documents))
  const { request } = (index === 0 ? one : many).route
  const want = index === 0 ? wanted(application(0)) : documents.map(wanted)
  const peer = () => Buffer.from(JSON.stringify(JSON.parse(body.toString())))
  const [engine = 0, parse = 0] = leastUs(
    Math.ceil(100 / count),
    checked(request, body, want),
    peer,
  )
  const cells = [
    engine.toFixed(1).padStart(13),
    parse.toFixed(1).padStart(20),
    (engine / parse).toFixed(2).padStart(7),
  ]
  console.log(`${String(body.length).padEnd(9)}${cells.join(' ')}`)
  return { bytes: body.length, engine }
})

const [first, last] = [costs[0], costs.at(-1)]
if (first !== undefined && last !== undefined) {
  const exponent = Math.log(last.engine / first.engine) / Math.log(last.bytes / first.bytes)
  console.log(`growth exponent from ${first.bytes} to ${last.bytes} bytes: ${exponent.toFixed(3)}`)
}

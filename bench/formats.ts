/**
 * Every codec, whole and as a stream of 64 KB pieces: how fast, how it grows, and how much memory a
 * long stream holds. Run it with `node bench/formats.ts`. @module
 */
import assert from 'node:assert/strict'
import { CSV_DEFAULT } from '../gateway/policy/body.ts'
import { startTranscoder } from '../gateway/transform/charset.ts'
import type { CompiledDirection } from '../gateway/transform/compile.ts'
import { type BodyFormat, readFormat } from '../gateway/transform/format.ts'
import { rewriteBody } from '../gateway/transform/rewrite.ts'
import { startBodyStream } from '../gateway/transform/stream.ts'
import type { Rewritten } from '../gateway/transform/transform.ts'
import { compile } from '../test/transform/policies.ts'
import { WRITTEN } from '../test/transform/codec/written.ts'
import { leastUs } from './least.ts'

const PIECE_BYTES = 64 * 1024
const SIZES = [10, 100, 4_000].map((kilobytes) => kilobytes * 1024)
const LONG_BYTES = 256 * 1024 * 1024

/** One format with a body of any size, and the rules for it. */
interface Case {
  readonly name: string
  readonly format: BodyFormat
  readonly direction: CompiledDirection
  readonly make: (bytes: number) => Buffer
}

const row = (n: number) => ({
  no: `TX-${String(n).padStart(9, '0')}`,
  name: '张三丰',
  mobile: '13800138000',
  amount: '1234.50',
  remark: '放款，按合同约定于当日划付至借款人账户',
})

function tables(): Case[] {
  return WRITTEN.filter(({ hasRows }) => hasRows).map(({ name, format, path, body }) => {
    const fields = {
      [path('no')]: 'keep',
      [path('name')]: 'length',
      [path('amount')]: 'keep',
      [path('remark')]: 'keep',
    }
    const perRow = Buffer.byteLength(body([row(0), row(1)])) - Buffer.byteLength(body([row(0)]))
    const make = (bytes: number) =>
      Buffer.from(body(Array.from({ length: Math.ceil(bytes / perRow) }, (_, n) => row(n))))
    return { name, format, direction: withoutClaims(compile({ fields }).route.request), make }
  })
}

/** A long body's rows are committed to as rows, so its values need no commitments of their own. */
function withoutClaims(direction: CompiledDirection): CompiledDirection {
  return { ...direction, body: { ...direction.body, claims: undefined } }
}

function house(): Case {
  const columns = ['no', 'name', 'mobile', 'amount', 'remark']
  const format = readFormat('text/csv', {
    format: 'csv',
    charset: 'gb18030',
    csv: { ...CSV_DEFAULT, delimiter: '|', quote: 'none', columns },
  })
  const fields = {
    '$[*].no': 'keep',
    '$[*].name': 'length',
    '$[*].amount': 'keep',
    '$[*].remark': 'keep',
  }
  const { encode } = startTranscoder('gb18030')
  const line = (n: number) => `${Object.values(row(n)).join('|')}\n`
  const perRow = encode(Buffer.from(line(0))).length
  const make = (bytes: number) =>
    encode(
      Buffer.from(Array.from({ length: Math.ceil(bytes / perRow) }, (_, n) => line(n)).join('')),
    )
  return {
    name: 'csv, gb18030',
    format,
    direction: withoutClaims(compile({ fields }).route.request),
    make,
  }
}

function multipart(): Case {
  const format = readFormat('multipart/form-data; boundary=x')
  const head = '--x\r\nContent-Disposition: form-data; name="f"; filename="a.jpg"\r\n\r\n'
  const make = (bytes: number) =>
    Buffer.from(`${head}${'JPEG bytes\n'.repeat(bytes / 11)}\r\n--x--\r\n`)
  const { request } = compile({ fields: { '$.f.content': 'keep' } }).route
  return { name: 'multipart file', format, direction: request, make }
}

function stream({ direction, format }: Case, body: Buffer): number {
  const passage = startBodyStream(direction, format)
  let size = 0
  for (let at = 0; at < body.length; at += PIECE_BYTES)
    size += passage.write(body.subarray(at, at + PIECE_BYTES)).bytes.length
  return size + passage.end().bytes.length
}

/** MB/s of a body. */
function rate(bytes: number, us: number): string {
  return (bytes / us).toFixed(0).padStart(6)
}

console.log(
  'MB/s by size of the body, in one piece / as a stream; growth is the exponent from 100 KB to 4 MB',
)
console.log(
  `${''.padEnd(16)}${SIZES.map((size) => `${size / 1024} KB`.padStart(15)).join('')}  growth`,
)
for (const one of [...tables(), house(), multipart()]) {
  const times = SIZES.map((size) => {
    const body = one.make(size)
    const { bytes } = rewriteBody(one.direction, body, one.format) as Rewritten
    assert.equal(stream(one, body), bytes.length)
    assert.ok(!bytes.includes('13800138000'))
    const batch = Math.ceil(100_000 / size)
    const [whole = 0, streamed = 0] = leastUs(
      batch,
      () => rewriteBody(one.direction, body, one.format),
      () => stream(one, body),
    )
    return { length: body.length, whole, streamed }
  })
  const cells = times.map(
    ({ length, whole, streamed }) => `${rate(length, whole)} / ${rate(length, streamed)}`,
  )
  const [, from, to] = times
  const growth =
    from && to ? Math.log(to.streamed / from.streamed) / Math.log(to.length / from.length) : 0
  console.log(
    `${one.name.padEnd(16)}${cells.map((cell) => cell.padStart(15)).join('')}  ${growth.toFixed(2)}`,
  )
}

console.log(
  `\nmost resident memory in the first quarter of ${LONG_BYTES / 1024 / 1024} MB in pieces / in all`,
)
for (const one of [...tables(), house()]) {
  if (one.name === 'json') continue
  const body = one.make(1024 * 1024)
  const passage = startBodyStream(one.direction, one.format)
  const isTable = one.format.name === 'csv' || one.format.name === 'ndjson'
  if (!isTable) continue
  // What follows the first megabyte has no row of names.
  const more = one.name === 'csv' ? body.subarray(body.indexOf('\n') + 1) : body
  let [quarter, most] = [0, 0]
  const begun = performance.now()
  for (let sent = 0; sent < LONG_BYTES; sent += more.length) {
    const source = sent === 0 ? body : more
    for (let at = 0; at < source.length; at += PIECE_BYTES)
      passage.write(source.subarray(at, at + PIECE_BYTES))
    most = Math.max(most, process.memoryUsage().rss)
    if (sent < LONG_BYTES / 4) quarter = most
  }
  passage.end()
  const seconds = (performance.now() - begun) / 1000
  const [early, all] = [quarter, most].map((bytes) => (bytes / 1024 / 1024).toFixed(0).padStart(5))
  const speed = LONG_BYTES / 1024 / 1024 / seconds
  console.log(`${one.name.padEnd(16)}${early} /${all} MB at ${speed.toFixed(0)} MB/s`)
}

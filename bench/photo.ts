/**
 * The guard on bodies that are no JSON: ns of processor time a byte, and how many photos of random bytes it
 * refuses by chance. Answers are checked before anything is timed. `node bench/photo.ts [megabytes]` @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Problem } from '../base/problem.ts'
import { createGuard } from '../gateway/guard/guard.ts'
import { loadDictionary } from '../test/guard/dictionary.ts'
import { leastUs } from './least.ts'

const PHOTO_BYTES = 1024 * 1024
const MOBILE = '13800138000'
const MULTIPART = 'multipart/form-data; boundary=edge'
const megabytes = Number(process.argv[2] ?? 500)

const guard = createGuard(loadDictionary())
const message = { headers: [], query: '', path: '/photos', allowed: new Map() }

/** The file of a form. */
function inForm(content: Buffer): Buffer {
  const head = '--edge\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
  return Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--edge--\r\n')])
}

function passes(body: Buffer, mediaType: string): boolean {
  try {
    guard.inspect({ ...message, body, mediaType })
    return true
  } catch (error) {
    if (error instanceof Problem && error.slug === 'leak-detected') return false
    throw error
  }
}

const many = (make: (n: number) => string) =>
  Array.from({ length: 2000 }, (_, n) => make(n)).join('')
const withMobile = (body: Buffer, before: string) => {
  const at = body.indexOf(before, body.length >> 1)
  return Buffer.concat([body.subarray(0, at), Buffer.from(` ${MOBILE}`), body.subarray(at)])
}

let photo = randomBytes(PHOTO_BYTES)
while (!passes(inForm(photo), MULTIPART)) photo = randomBytes(PHOTO_BYTES)
const letters = randomBytes(PHOTO_BYTES / 2)
  .toString('hex')
  .replace(/\d/g, 'g')
const prose = '按合同约定于当日划付，每日核对；ordinary line of a report.\n'.repeat(13_000)
const xml = many(
  (n) => `<Txn id="T${n}"><Amt Ccy="CNY">${n}.50</Amt><Sts>ACCP</Sts><Inf>blue ${n}</Inf></Txn>\n`,
)
const form = many((n) => `&loan=LN-${n}&amount=${n}.50&note=blue+boxed`).slice(1)
/** What each is called, its media type, and before what a mobile number may be planted. */
// prettier-ignore
const CASES: readonly (readonly [name: string, mediaType: string, before: string, body: Buffer])[] = [
  ['random bytes, a file of a form', MULTIPART,                           '\0',     inForm(photo)],
  ['letters, a file of a form',      MULTIPART,                           '\r\n--', inForm(Buffer.from(letters))],
  ['Chinese and English, plain',     'text/plain',                        '\n',     Buffer.from(prose)],
  ['XML',                            'application/xml',                   '<Amt',   Buffer.from(`<Doc>${xml}</Doc>`)],
  ['form',                           'application/x-www-form-urlencoded', '&',      Buffer.from(form)],
]

console.log('| body | bytes | ns a byte |')
console.log('| --- | ---: | ---: |')
for (const [name, mediaType, before, body] of CASES) {
  assert(passes(body, mediaType), name)
  assert(!passes(withMobile(body, before), mediaType), `the guard passed a mobile number: ${name}`)
  const [us = Number.NaN] = leastUs(1, () => passes(body, mediaType))
  console.log(`| ${name} | ${body.length} | ${((us * 1000) / body.length).toFixed(1)} |`)
}
let refused = 0
for (let at = 0; at < megabytes; at++)
  if (!passes(inForm(randomBytes(PHOTO_BYTES)), MULTIPART)) refused++
console.log(`\n${refused} of ${megabytes} photos of 1 MiB refused by chance`)

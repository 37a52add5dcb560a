/**
 * The guard on bytes that are no text, and on long texts: ns of processor time a byte, and how many photos of
 * random bytes it refuses by chance. Answers are checked before anything is timed. `node bench/photo.ts [megabytes]` @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Problem } from '../base/problem.ts'
import { createGuard } from '../gateway/guard/guard.ts'
import { loadDictionary } from '../test/guard/dictionary.ts'
import { leastUs } from './least.ts'

const PHOTO_BYTES = 1024 * 1024
const MOBILE = '13800138000'
const megabytes = Number(process.argv[2] ?? 500)

const guard = createGuard(loadDictionary())
const message = { headers: [], query: '', path: '/photos', allowed: new Map() }

/** Whether the guard lets bytes pass as the file of a form. */
function passes(content: Buffer): boolean {
  const head = '--edge\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--edge--\r\n')])
  try {
    guard.inspect({ ...message, body, mediaType: 'multipart/form-data; boundary=edge' })
    return true
  } catch (error) {
    if (error instanceof Problem && error.slug === 'leak-detected') return false
    throw error
  }
}

let photo = randomBytes(PHOTO_BYTES)
while (!passes(photo)) photo = randomBytes(PHOTO_BYTES)
const letters = Buffer.from(
  randomBytes(PHOTO_BYTES / 2)
    .toString('hex')
    .replace(/\d/g, 'g'),
)
const prose = Buffer.from(
  '按合同约定于当日划付，每日核对；ordinary line of a report.\n'.repeat(13_000),
)
const kinds = { 'random bytes': photo, letters, 'Chinese and English': prose }

console.log('| content | bytes | ns a byte |')
console.log('| --- | ---: | ---: |')
for (const [name, content] of Object.entries(kinds)) {
  assert(passes(content))
  const middle = content.length >> 1
  const planted = Buffer.concat([
    content.subarray(0, middle),
    Buffer.from(` ${MOBILE} `),
    content.subarray(middle),
  ])
  assert(!passes(planted), `the guard passed a mobile number in ${name}`)
  const [us = Number.NaN] = leastUs(1, () => passes(content))
  console.log(`| ${name} | ${content.length} | ${((us * 1000) / content.length).toFixed(1)} |`)
}
let refused = 0
for (let at = 0; at < megabytes; at++) if (!passes(randomBytes(PHOTO_BYTES))) refused++
console.log(`\n${refused} of ${megabytes} photos of 1 MiB refused by chance`)

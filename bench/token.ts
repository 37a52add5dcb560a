/**
 * What each transform costs: CPU µs per value, one thread, beside other ways of doing the same. Every
 * answer is checked before anything is timed. `node bench/token.ts` @module
 */
import { aessiv } from '@noble/ciphers/aes.js'
import { FF1 as NobleFf1 } from '@noble/ciphers/ff1.js'
import assert from 'node:assert/strict'
import { createHmac as createNodeHmac, createSecretKey, randomBytes } from 'node:crypto'
import { systemClock } from '../base/clock.ts'
import { createFf1 } from '../gateway/token/ff1.ts'
import { createHmac } from '../base/hmac.ts'
import { throwawayKeyRing } from '../gateway/token/ring.ts'
import { createSiv } from '../gateway/token/siv.ts'
import type { Action } from '../gateway/policy/policy.ts'
import { createTransforms } from '../gateway/transform/table.ts'
import type { Binding, Change, Scalar, Transform } from '../gateway/transform/transform.ts'

const ROUNDS = 7
const ROUND_CALLS = 10_000
const KEY = randomBytes(64)
const HALF = KEY.subarray(0, 32)
const MOBILE = '13800138000'
const RESIDENT_ID = '11010519491231002X'
const CARD = '6217000012345678907'

const table = createTransforms({ keys: throwawayKeyRing(), clock: systemClock })

function bind(
  transform: string,
  parameters: Action['with'],
  binding: Partial<Binding> = {},
): Transform {
  const type = table.get(transform)
  assert(type !== undefined)
  const route = {
    from: 'platform',
    to: 'bank',
    purpose: 'credit',
    kind: 'mobile',
    direction: 'request' as const,
  }
  return type({ transform, with: parameters }, { ...route, ...binding }, (message) =>
    assert.fail(message),
  )
}
const scalar = (value: string): Scalar => ({ type: 'string', reveal: () => value })
function textOf(apply: Transform, value: string): string {
  const change = apply(scalar(value))
  if (change.change === 'token') return change.text()
  assert(change.change === 'text')
  return change.text
}

/** As rows of a file have them: each call adds a value, each hundredth asks for what became of all. */
function inHundreds(apply: Transform, value: string): () => unknown {
  const input = scalar(value)
  let waiting: Change[] = []
  return () => {
    waiting.push(apply(input))
    if (waiting.length < 100) return
    for (const change of waiting) if (change.change === 'token') change.text()
    waiting = []
  }
}

/** A rule over one value; with `back`, the reveal of its result is checked and measured as well. */
function rule(
  name: string,
  transform: string,
  parameters: Action['with'],
  kind: string,
  value: string,
): Case[] {
  const apply = bind(transform, parameters, { kind })
  const token = textOf(apply, value)
  assert.notEqual(token, value)
  assert.equal(textOf(apply, value), token)
  const input = scalar(value)
  const there = { name, run: () => textOf(apply, value) }
  if (!['tokenize', 'encrypt'].includes(transform)) return [there]
  const isLate = apply(input).change === 'token'
  const many = isLate ? [{ name: `${name}, in hundreds`, run: inHundreds(apply, value) }] : []
  const reveal = bind('reveal', {}, { kind, direction: 'response' })
  assert.equal(textOf(reveal, token), value)
  const output = scalar(token)
  return [there, ...many, { name: `${name}, reveal`, run: () => reveal(output) }]
}

interface Case {
  readonly name: string
  readonly run: () => unknown
}

function primitives(): Case[] {
  const message = Buffer.from(MOBILE)
  const siv = createSiv(KEY, message)
  // It encrypts once per object, so its key schedule counts each time.
  const nobleSeal = () => aessiv(KEY, message).encrypt(message)
  assert(siv.seal(message).equals(nobleSeal()))
  const secret = createSecretKey(HALF)
  const cases: Case[] = [
    { name: 'AES-SIV, 11 bytes', run: () => siv.seal(message) },
    { name: 'AES-SIV, 11 bytes: @noble/ciphers', run: nobleSeal },
  ]
  for (const algorithm of ['sha256', 'sm3'] as const) {
    const hmac = createHmac(algorithm, HALF)
    const node = () => createNodeHmac(algorithm, secret).update(message).digest()
    assert.equal(hmac(message, 'latin1'), node().toString('latin1'))
    cases.push({ name: `HMAC-${algorithm}, 11 bytes`, run: () => hmac(message, 'latin1') })
    cases.push({ name: `HMAC-${algorithm}, 11 bytes: node:crypto, KeyObject`, run: node })
  }
  for (const length of [10, 15, 18]) {
    const digits = Array.from({ length }, (_, index) => (index * 7 + 3) % 10)
    const number = BigInt(digits.join(''))
    const [ff1, noble] = [createFf1(HALF, 10, length), NobleFf1(10, HALF)]
    assert.equal(ff1.encrypt(number), BigInt(noble.encrypt(digits).join('')))
    assert.equal(ff1.decrypt(ff1.encrypt(number)), number)
    cases.push({ name: `FF1, ${length} digits`, run: () => ff1.encrypt(number) })
    cases.push({ name: `FF1, ${length} digits: @noble/ciphers`, run: () => noble.encrypt(digits) })
  }
  return cases
}

const CASES: Case[] = [
  ...primitives(),
  ...rule('tokenize: opaque, mobile', 'tokenize', {}, 'mobile', MOBILE),
  ...rule('tokenize: opaque, resident id', 'tokenize', {}, 'resident-id', RESIDENT_ID),
  ...rule(
    'tokenize: format-preserving, mobile',
    'tokenize',
    { tokenize: 'format-preserving' },
    'mobile',
    MOBILE,
  ),
  ...rule(
    'tokenize: format-preserving, resident id',
    'tokenize',
    { tokenize: 'format-preserving' },
    'resident-id',
    RESIDENT_ID,
  ),
  ...rule(
    'tokenize: format-preserving, card',
    'tokenize',
    { tokenize: 'format-preserving' },
    'bank-card',
    CARD,
  ),
  ...rule('pseudonymise: hmac-sha-256', 'pseudonymise', {}, 'mobile', MOBILE),
  ...rule('pseudonymise: hmac-sm3', 'pseudonymise', { pseudonymise: 'hmac-sm3' }, 'mobile', MOBILE),
  ...rule('mask: mobile', 'mask', { mask: 'mobile' }, 'mobile', MOBILE),
  ...rule('mask: surname', 'mask', { mask: 'surname' }, 'name', '欧阳修'),
  ...rule(
    'generalise: age-band',
    'generalise',
    { generalise: 'age-band' },
    'resident-id',
    RESIDENT_ID,
  ),
]

/** CPU time of the whole process, so that a busy machine does not show. */
function costUs(run: () => unknown): number {
  const before = process.cpuUsage()
  for (let call = 0; call < ROUND_CALLS; call++) run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / ROUND_CALLS
}

const costs = CASES.map(({ name, run }) => ({ name, run, rounds: [] as number[] }))
for (let round = 0; round <= ROUNDS; round++) {
  for (const { run, rounds } of costs) {
    const cost = costUs(run)
    if (round > 0) rounds.push(cost) // The first round warms up.
  }
}
console.log('CPU µs per value: median (least) of', ROUNDS, 'interleaved rounds of', ROUND_CALLS)
for (const { name, rounds } of costs) {
  const sorted = rounds.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  console.log(`${median.toFixed(2).padStart(7)} (${(sorted[0] ?? Number.NaN).toFixed(2)})  ${name}`)
}

/**
 * Measures the guard: µs of processor time per message and per KB on clean bodies, beside JSON.parse
 * of the same bytes. Answers are checked before anything is timed. `node bench/guard.ts` @module
 */
import { Problem } from '../base/problem.ts'
import { createGuard } from '../gateway/guard/guard.ts'
import { loadDictionary } from '../test/guard/dictionary.ts'

const SIZES = [1024, 10_240, 102_400, 1_048_576]
const ROUNDS = 9
const ROUND_MS = 60

const guard = createGuard(loadDictionary())

const letters = (seed: number) =>
  Array.from({ length: 48 }, (_, i) =>
    String.fromCharCode(97 + ((seed * 31 + i * i * 7) % 26)),
  ).join('')
const loan = (i: number) => ({
  applicationId: `APP-2026-${String(i).padStart(6, '0')}`,
  amount: '50000.00',
  tenure: { unit: 'M', count: 12 },
  rateOffered: 0.072,
  product: 'cash-12m',
  decision: 'APPROVED',
  createdAt: '2026-11-24T02:00:00Z',
  applicant: {
    name: '王**',
    idNumber: `tok_resident-id_1_${letters(i)}`,
    mobile: `tok_mobile_1_${letters(i + 1)}`,
    profession: '教师',
    city: '110100',
  },
  repaymentCard: { number: `tok_bank-card_1_${letters(i + 2)}`, bankCode: 'CCB' },
  contacts: [{ relation: 'spouse' }, { relation: 'colleague' }],
})

/** A list of loans of about so many bytes, as the engine would send it. */
function bodyOf(bytes: number): Buffer {
  const loans: unknown[] = []
  for (let size = 2; size < bytes; size += JSON.stringify(loans.at(-1)).length + 1) {
    loans.push(loan(loans.length))
  }
  return Buffer.from(JSON.stringify(loans))
}

function inspect(body: Buffer): void {
  guard.inspect({
    headers: [],
    query: '',
    path: '/credit/applications',
    body,
    mediaType: 'application/json',
    allowed: new Map(),
  })
}

/** Median µs of processor time of one call; wall time would count other programs too. */
function time(call: () => void): number {
  for (const until = performance.now() + ROUND_MS; performance.now() < until;) call()
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const until = performance.now() + ROUND_MS
    const before = process.cpuUsage()
    let calls = 0
    do {
      call()
      calls++
    } while (performance.now() < until)
    const { user, system } = process.cpuUsage(before)
    rounds.push((user + system) / calls)
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN
}

/** The guard must pass the clean body and refuse it with one mobile number in its last value. */
function check(body: Buffer): void {
  inspect(body)
  const leak = Buffer.from(body.toString().replace(/"colleague"(?=\}\]\}\]$)/, '"13800138000"'))
  try {
    inspect(leak)
  } catch (error) {
    if (error instanceof Problem && error.slug === 'leak-detected') return
    throw error
  }
  throw new Error('the guard passed a mobile number')
}

console.log('| body | guard µs | µs per KB | JSON.parse µs | ratio |')
console.log('| ---: | ---: | ---: | ---: | ---: |')
for (const size of SIZES) {
  const body = bodyOf(size)
  check(body)
  const guardUs = time(() => inspect(body))
  const parseUs = time(() => JSON.parse(body.toString()))
  const perKb = ((guardUs * 1024) / body.length).toFixed(2)
  const kb = (body.length / 1024).toFixed(1)
  console.log(
    `| ${kb} KB | ${guardUs.toFixed(1)} | ${perKb} | ${parseUs.toFixed(1)} | ${(guardUs / parseUs).toFixed(2)} |`,
  )
}

/**
 * What a row of a long body costs, part by part, in one process: CPU µs a row of the whole passage, and of the
 * passage with parts left out. Checks what comes out first. `node bench/rows.ts [megabytes] [name] [whole]`, with
 * the flags of cli/sealgate.js; `whole`, for a profile, leaves nothing out. @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { systemClock } from '../base/clock.ts'
import { createReport, renderReport } from '../base/diagnostic.ts'
import { createRowLedger, type RowLedger } from '../evidence/rows/ledger.ts'
import type { Content } from '../gateway/content.ts'
import { createDetect, surely } from '../gateway/guard/detect.ts'
import { createGuard } from '../gateway/guard/guard.ts'
import { guardOf } from '../gateway/http/long.ts'
import { parsePolicy } from '../gateway/policy/parse.ts'
import { steerBy } from '../gateway/steer.ts'
import { createPassage, type Passage } from '../gateway/stream/passage.ts'
import { throwawayKeyRing } from '../gateway/token/ring.ts'
import { compileRoute } from '../gateway/transform/compile.ts'
import { readFormat } from '../gateway/transform/format.ts'
import { createTransforms } from '../gateway/transform/table.ts'
import { loadDictionary } from '../test/guard/dictionary.ts'
import { csv, disbursements, type LongBody, ndjson } from './long-bodies.ts'

const CHUNK_BYTES = 65_536
const ROUNDS = 3
const KEPT_CHUNKS = 64

const kinds = loadDictionary()
const detect = surely(createDetect(kinds))
const keys = throwawayKeyRing()
const defaultMask = (kind: string) => kinds.get(kind)?.mask
const table = createTransforms({ keys, clock: systemClock, detect, defaultMask })
const content = { guard: createGuard(kinds), keys } as Content
const secret = randomBytes(32)

/** Counts and hashes nothing. */
const NO_LEDGER: RowLedger = {
  ...createRowLedger(secret, 'request'),
  enter: () => {},
  settle: () => {},
}

/** Makes passages of one body, whole or with parts left out. */
function passagesOf({ policy: text, contentType }: LongBody) {
  const report = createReport()
  const known = { transforms: new Set(table.keys()) }
  const policy = parsePolicy(report, 'bench.yaml', text, known)
  if (policy === undefined) throw new Error(renderReport(report))
  const { request } = compileRoute(policy, table, (_, message) => assert.fail(message))
  const format = readFormat(contentType, request.dialect)
  const look = guardOf({ guard: steerBy(() => content).guard }, policy, 'request', format)
  return (without: Without) =>
    createPassage({
      rules: request,
      format,
      decode: undefined,
      encode: undefined,
      guard: without.guard ? () => {} : look,
      ledger: without.ledger ? NO_LEDGER : createRowLedger(secret, 'request'),
      limits: { bytesMax: Number.POSITIVE_INFINITY, ratioMax: 1 },
    })
}

interface Without {
  readonly guard?: boolean
  readonly ledger?: boolean
}

async function* inChunks(body: LongBody, blocks: number): AsyncGenerator<Buffer> {
  yield body.first(blocks)
  const { block } = body
  for (let n = 0; n < blocks; n++) {
    for (let at = 0; at < block.length; at += CHUNK_BYTES)
      yield block.subarray(at, at + CHUNK_BYTES)
  }
  yield body.last(blocks)
}

/** @returns CPU µs of one passage, and what left. */
async function run(body: LongBody, blocks: number, passage: Passage) {
  const before = process.cpuUsage()
  const out: Buffer[] = []
  for await (const chunk of passage.run(inChunks(body, blocks))) {
    if (out.length < KEPT_CHUNKS) out.push(Buffer.from(chunk))
  }
  const { user, system } = process.cpuUsage(before)
  return { us: user + system, begins: Buffer.concat(out), rows: passage.progress().rows }
}

const [megabytes = '20', only = '', whole] = process.argv.slice(2)
console.log('| body | MB/s | µs a row | without guard | without row trees | without both |')
console.log('| --- | ---: | ---: | ---: | ---: | ---: |')
for (const body of [ndjson(), csv(), disbursements()]) {
  if (!body.name.startsWith(only)) continue
  const blocks = Math.ceil((Number(megabytes) * 1e6) / body.block.length)
  const rows = blocks * body.rows
  const passage = passagesOf(body)
  const first = await run(body, blocks, passage({}))
  assert.equal(first.rows, rows)
  for (const text of body.wanted.slice(0, 1)) assert(first.begins.includes(text))
  for (const text of body.planted) assert(!first.begins.includes(text))
  const least: number[] = []
  const ways: Without[] = [{}, { guard: true }, { ledger: true }, { guard: true, ledger: true }]
  if (whole !== undefined) ways.length = 1
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, without] of ways.entries()) {
      const { us } = await run(body, blocks, passage(without))
      least[index] = Math.min(least[index] ?? us, us)
    }
  }
  const rate = (blocks * body.block.length) / (least[0] ?? 0)
  const cells = [rate.toFixed(1), ...least.map((us) => (us / rows).toFixed(2))]
  console.log(`| ${body.name} | ${cells.join(' | ')} |`)
}

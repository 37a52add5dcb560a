/** `npm run bench -- table`: Sealgate beside what people would write instead, answers checked first. @module */
import { isDeepStrictEqual } from 'node:util'
import { interleave, measure, openClient, type Round, spread, type Variant } from './harness.ts'
import { ANSWER, makeBody } from './loan.ts'
import { hasNginx } from './peers/nginx.ts'
import type { Picture } from './picture.ts'
import { openRig, type Place, type Rig, sending } from './rig.ts'

/** How much is measured. */
export interface TableSize {
  readonly rounds: number
  /** KB of body → requests in one round. */
  readonly requests: Readonly<Record<number, number>>
}

/** What a run is for: figures, or only to see that it works. */
export const TABLE_SIZES: Readonly<Record<'full' | 'short', TableSize>> = {
  full: { rounds: 7, requests: { 1: 2000, 10: 1000, 100: 300 } },
  short: { rounds: 1, requests: { 1: 32 } },
}

const CONNECTIONS = 32
const MUST = ['status', 'applicationId', 'limit']
/** Personal texts of the body that nobody who rewrites may pass on. */
const PERSONAL = ['11010519491231002X', '13800138000', '6217000012345678907', '李静', '13900139000']

/** The names that the table and the ratios use. */
export const NAMES = {
  direct: 'direct',
  nginx: 'nginx, untouched',
  lua: 'nginx + lua, rewrite',
  pass: 'express + HPM, untouched',
  docs: 'express + HPM, rewrite',
  plain: 'Sealgate without evidence',
  secrets: 'Sealgate complete, shared secrets',
  full: 'Sealgate complete',
} as const

/** One line of the table. */
export interface Row {
  readonly kb: number
  readonly name: string
  readonly rounds: readonly Round[]
}

/** Starts everything, checks it, measures it. */
export async function runTable({ rounds, requests }: TableSize): Promise<readonly Row[]> {
  const rig = await openRig()
  try {
    const places = await startAll(rig)
    const rows: Row[] = []
    for (const [kb, count] of Object.entries(requests)) {
      const body = makeBody(Number(kb))
      const variants = places.map((place) => sending(place, body))
      for (const variant of variants) await check(rig, variant, body)
      const load = { connections: CONNECTIONS, requests: count, bankPid: rig.bank.pid }
      for (const [name, each] of await interleave(variants, load, rounds))
        rows.push({ kb: Number(kb), name, rounds: each })
    }
    return rows
  } finally {
    await rig.close()
  }
}

async function startAll(rig: Rig): Promise<readonly Place[]> {
  const peers = hasNginx()
    ? [await rig.nginx(NAMES.nginx, false), await rig.nginx(NAMES.lua, true)]
    : []
  if (peers.length === 0) console.error('no nginx with lua on this machine: its lines are left out')
  return [
    rig.direct(),
    ...peers,
    await rig.express(NAMES.pass, 'pass'),
    await rig.express(NAMES.docs, 'rewrite'),
    await rig.sealgate(NAMES.plain, { without: ['evidence'] }),
    await rig.sealgate(NAMES.secrets, { secrets: true }),
    await rig.sealgate(NAMES.full),
  ]
}

/** A variant that does not do its work is not measured. */
async function check(rig: Rig, variant: Variant, body: Buffer): Promise<void> {
  await measure(variant, { connections: 1, requests: 1 })
  const { name } = variant
  const seen = await rig.bank.last()
  const itemsOf = (text: string) => (JSON.parse(text) as { items: unknown }).items
  if (!isDeepStrictEqual(itemsOf(seen), itemsOf(body.toString())))
    throw new Error(`${name} does not pass on what is kept`)
  const rewrites = name !== NAMES.direct && !name.includes('untouched')
  if (rewrites && PERSONAL.some((text) => seen.includes(text)))
    throw new Error(`${name} passes on personal data`)
  if (!rewrites && seen !== body.toString()) throw new Error(`${name} changes the body`)
  await variant.prepare(1)
  const client = await openClient(variant.port)
  const answer = JSON.parse((await client.exchange(variant.next())).body) as Record<string, unknown>
  client.close()
  const want = JSON.parse(ANSWER) as Record<string, unknown>
  if (MUST.some((member) => answer[member] !== want[member]))
    throw new Error(`${name} does not pass on the answer`)
}

/** CPU µs per request of the variant's own processes. */
export function costOf(rows: readonly Row[], kb: number, name: string): number {
  const row = rows.find((each) => each.kb === kb && each.name === name)
  return spread(row?.rounds, ({ cpuUs }) => cpuUs).median
}

/** The table as Markdown. */
export function tableText(rows: readonly Row[]): string {
  const lines = [
    '| body | variant | CPU µs per request: median (min–max) | of the bank | of the load | requests/s | p50 ms | p99 ms | resident MB |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (const { kb, name, rounds } of rows) {
    const of = (figure: (round: Round) => number) => spread(rounds, figure)
    const cost = of(({ cpuUs }) => cpuUs)
    const shown = `${cost.median.toFixed(0)} (${cost.min.toFixed(0)}–${cost.max.toFixed(0)})`
    lines.push(
      `| ${kb} KB | ${name} | ${name === NAMES.direct ? '–' : shown} | ` +
        [
          of(({ bankUs }) => bankUs).median.toFixed(0),
          of(({ loadUs }) => loadUs).median.toFixed(0),
          of(({ perSecond }) => perSecond).median.toFixed(0),
          of(({ p50Ms }) => p50Ms).median.toFixed(1),
          of(({ p99Ms }) => p99Ms).median.toFixed(1),
          of((round) => round.residentMb).median.toFixed(0),
        ].join(' | ') +
        ' |',
    )
  }
  return lines.join('\n')
}

/** The table as a picture. */
export function tablePicture(rows: readonly Row[]): Picture {
  const groups = [...new Set(rows.map(({ kb }) => kb))].map((kb) => ({
    title: `${kb} KB`,
    bars: rows
      .filter((row) => row.kb === kb && row.name !== NAMES.direct)
      .map(({ name, rounds }) => ({
        label: name,
        ...spread(rounds, ({ cpuUs }) => cpuUs),
        strong: name.startsWith('Sealgate'),
      })),
  }))
  return { title: 'CPU µs per request of the gateway: median, min–max', groups }
}

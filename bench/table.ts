/** `npm run bench -- table`: Sealgate beside what people would write instead, answers checked first. @module */
import { isDeepStrictEqual } from 'node:util'
import { interleave, measure, openClient, type Round, spread, type Variant } from './harness.ts'
import { ANSWER, makeBody } from './loan.ts'
import { hasNginx } from './peers/nginx.ts'
import type { Picture } from './picture.ts'
import { markdownTable, spreadText } from './report.ts'
import { openRig, type Place, type Rig, sending } from './rig.ts'

/** How much is measured. */
export interface TableSize {
  readonly rounds: number
  /** Rounds before them: compilers need some ten thousand requests. */
  readonly warmUps: number
  /** KB of body → requests in one round. */
  readonly requests: Readonly<Record<number, number>>
}

/** What a run is for: figures, or only to see that it works. */
export const TABLE_SIZES: Readonly<Record<'full' | 'short', TableSize>> = {
  full: { rounds: 7, warmUps: 5, requests: { 1: 3000, 10: 1500, 100: 400 } },
  short: { rounds: 1, warmUps: 1, requests: { 1: 32 } },
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
  plainSecrets: 'Sealgate without evidence, shared secrets',
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
export async function runTable({ rounds, warmUps, requests }: TableSize): Promise<readonly Row[]> {
  const rig = await openRig()
  try {
    const places = await startAll(rig)
    const rows: Row[] = []
    for (const [kb, count] of Object.entries(requests)) {
      const body = makeBody(Number(kb))
      const variants = places.map((place) => sending(place, body))
      for (const variant of variants) await check(rig, variant, body)
      const load = { connections: CONNECTIONS, requests: count, bankPid: rig.bank.pid }
      for (const [name, each] of await interleave(variants, load, rounds, warmUps))
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
    await rig.sealgate(NAMES.plainSecrets, { secrets: true, without: ['evidence'] }),
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
function costOf(rows: readonly Row[], kb: number, name: string): number {
  const row = rows.find((each) => each.kb === kb && each.name === name)
  return spread(row?.rounds, ({ cpuUs }) => cpuUs).median
}

/** The table as Markdown. */
export function tableText(rows: readonly Row[]): string {
  const median = (rounds: readonly Round[], figure: (round: Round) => number, digits = 0) =>
    spread(rounds, figure).median.toFixed(digits)
  return markdownTable(
    [
      'body',
      'variant',
      'CPU µs per request: median (min–max)',
      'of the bank',
      'of the load',
      'requests/s',
      'p50 ms',
      'p99 ms',
      'resident MB',
    ],
    rows.map(({ kb, name, rounds }) => [
      `${kb} KB`,
      name,
      name === NAMES.direct ? '–' : spreadText(rounds, ({ cpuUs }) => cpuUs),
      median(rounds, ({ bankUs }) => bankUs),
      median(rounds, ({ loadUs }) => loadUs),
      median(rounds, ({ perSecond }) => perSecond),
      median(rounds, ({ p50Ms }) => p50Ms, 1),
      median(rounds, ({ p99Ms }) => p99Ms, 1),
      median(rounds, ({ residentMb }) => residentMb),
    ]),
  )
}

/** What was to be reached, beside what was. */
export function ratiosText(rows: readonly Row[]): string {
  const sizes = [...new Set(rows.map(({ kb }) => kb))]
  const GOALS = [
    { kb: 1, of: NAMES.pass, goal: '1.0', must: '1.3' },
    { kb: 1, of: NAMES.docs, goal: '0.5', must: '0.8' },
    { kb: 10, of: NAMES.lua, goal: '0.7', must: '1.1' },
    { kb: 100, of: NAMES.lua, goal: '0.5', must: '0.7' },
  ]
  const compared = GOALS.filter(({ kb }) => sizes.includes(kb)).map(({ kb, of, goal, must }) => {
    const base = costOf(rows, kb, of)
    const ratio = (name: string) => (costOf(rows, kb, name) / base).toFixed(2)
    return [`complete ÷ ${of}, ${kb} KB`, ratio(NAMES.full), ratio(NAMES.secrets), goal, must]
  })
  const share = (name: string, plain: string) =>
    ((100 * (costOf(rows, 1, name) - costOf(rows, 1, plain))) / costOf(rows, 1, name)).toFixed(0)
  return markdownTable(
    ['ratio of medians', 'with JWTs', 'with shared secrets', 'goal', 'must'],
    [
      ...compared,
      [
        'evidence, share of CPU, 1 KB',
        `${share(NAMES.full, NAMES.plain)} %`,
        `${share(NAMES.secrets, NAMES.plainSecrets)} %`,
        '25 %',
        '35 %',
      ],
    ],
  )
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

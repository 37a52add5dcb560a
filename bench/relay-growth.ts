/** `npm run bench -- growth`: cost per request of the whole relay as records, bodies, routes and rules grow. @module */
import { interleave, spread } from './harness.ts'
import { makeBody, POLICY } from './loan.ts'
import { markdownTable, spreadText } from './report.ts'
import { openRig, type SealgateOptions, sending } from './rig.ts'

const CONNECTIONS = 32
/** The relay takes bodies of 1 MiB whole; for longer ones, which are relayed as they come, see stream.ts. */
const SIZES_KB = [1, 10, 100, 1000]
const COUNTS = [1, 10, 100, 1000]

/** How much is measured. */
export interface GrowthSize {
  readonly rounds: number
  readonly requests: number
  /** Routes and rules, at most. */
  readonly most: number
  /** Exchanges recorded in one gateway, and looked at after each power of ten. */
  readonly records: number
}

/** @returns the section's Markdown. */
export async function runGrowth(size: GrowthSize): Promise<string> {
  return [
    `**Body**\n\n${await growBodies(size)}`,
    `**Routes in force**\n\n${await growPolicies(size, addRoutes)}`,
    `**Rules of the policy**\n\n${await growPolicies(size, addRules)}`,
    `**Records in the log**\n\n${await growRecords(size)}`,
  ].join('\n\n')
}

async function growBodies({ rounds, requests }: GrowthSize): Promise<string> {
  const rig = await openRig()
  try {
    const place = await rig.sealgate('Sealgate', { secrets: true })
    const rows: string[][] = []
    for (const kb of SIZES_KB) {
      const count = Math.max(8, Math.ceil(requests / kb))
      const load = { connections: Math.min(CONNECTIONS, count), requests: count }
      const results = await interleave([sending(place, makeBody(kb))], load, rounds)
      const each = results.get(place.name)
      const cost = spread(each, ({ cpuUs }) => cpuUs).median
      const memory = spread(each, ({ residentMb }) => residentMb).max
      rows.push([
        `${kb} KB`,
        spreadText(each, ({ cpuUs }) => cpuUs),
        (cost / kb).toFixed(1),
        memory.toFixed(0),
      ])
    }
    return markdownTable(['body', 'CPU µs per request', 'µs per KB', 'resident MB, most'], rows)
  } finally {
    await rig.close()
  }
}

type Grow = (count: number) => SealgateOptions

async function growPolicies({ rounds, requests, most }: GrowthSize, grow: Grow): Promise<string> {
  const rig = await openRig()
  try {
    const body = makeBody(1)
    const variants = []
    for (const count of COUNTS.filter((each) => each <= most))
      variants.push(sending(await rig.sealgate(String(count), grow(count)), body))
    const load = { connections: CONNECTIONS, requests }
    const results = await interleave(variants, load, rounds)
    return markdownTable(
      ['count', 'CPU µs per request'],
      variants.map(({ name }) => [name, spreadText(results.get(name), ({ cpuUs }) => cpuUs)]),
    )
  } finally {
    await rig.close()
  }
}

const addRoutes: Grow = (count) => ({
  secrets: true,
  prepare: ({ addPolicy }) => {
    for (let index = 1; index < count; index++)
      addPolicy(
        `other-${index}.yaml`,
        POLICY.replace('policy: bench', `policy: other-${index}`).replace('path: /bench', `path: /other/${index}`), // prettier-ignore
      )
  },
})

const addRules: Grow = (count) => ({
  secrets: true,
  prepare: ({ addPolicy }) => {
    const more = Array.from({ length: count - 1 }, (_, index) => `    $.other${index}: keep\n`)
    addPolicy('bench.yaml', POLICY.replace('response:', `${more.join('')}response:`))
  },
})

async function growRecords({ rounds, requests, records }: GrowthSize): Promise<string> {
  const rig = await openRig()
  try {
    const body = makeBody(1)
    const variant = sending(await rig.sealgate('Sealgate', { secrets: true }), body)
    const rows: string[][] = []
    let sent = 0
    for (let goal = 1000; goal <= records; goal *= 10) {
      while (sent < goal) {
        const count = Math.min(10_000, goal - sent)
        await interleave([variant], { connections: CONNECTIONS, requests: count }, 0)
        sent += count
      }
      const results = await interleave([variant], { connections: CONNECTIONS, requests }, rounds)
      sent += requests * (rounds + 1)
      const each = results.get(variant.name)
      rows.push([
        String(goal),
        spreadText(each, ({ cpuUs }) => cpuUs),
        spread(each, ({ residentMb }) => residentMb).median.toFixed(0),
      ])
    }
    return markdownTable(['records', 'CPU µs per request', 'resident MB'], rows)
  } finally {
    await rig.close()
  }
}

/** `npm run bench -- added-latency`: p50 and p99 over a direct call, at shares of what the gateway can take. @module */
import { interleave, measure, spread } from './harness.ts'
import { makeBody } from './loan.ts'
import { markdownTable, spreadText } from './report.ts'
import { openRig, sending } from './rig.ts'

const CONNECTIONS = 32
const SHARES = [0.25, 0.5, 0.75]

/** @returns the section's Markdown. */
export async function runAddedLatency(rounds: number, requests: number): Promise<string> {
  const rig = await openRig()
  try {
    const body = makeBody(1)
    const direct = sending(rig.direct(), body)
    const gateways = [
      sending(await rig.sealgate('Sealgate, JWT'), body),
      sending(await rig.sealgate('Sealgate, shared secrets', { secrets: true }), body),
    ]
    const rows: string[][] = []
    for (const gateway of gateways) {
      const capacity = await capacityOf(gateway, requests)
      for (const share of SHARES) {
        const perSecond = Math.max(1, Math.floor(capacity * share))
        const load = { connections: 4 * CONNECTIONS, requests, perSecond }
        const results = await interleave([direct, gateway], load, rounds)
        const [alone, through] = [results.get(direct.name), results.get(gateway.name)]
        const added = (figure: 'p50Ms' | 'p99Ms') =>
          spread(through, (round) => round[figure]).median -
          spread(alone, (round) => round[figure]).median
        rows.push([
          gateway.name,
          `${100 * share} % (${perSecond}/s)`,
          spreadText(alone, ({ p50Ms }) => p50Ms, 2),
          spreadText(through, ({ p50Ms }) => p50Ms, 2),
          added('p50Ms').toFixed(2),
          spreadText(alone, ({ p99Ms }) => p99Ms, 2),
          spreadText(through, ({ p99Ms }) => p99Ms, 2),
          added('p99Ms').toFixed(2),
        ])
      }
    }
    return markdownTable(
      [
        'variant',
        'of capacity',
        'p50 direct, ms',
        'p50',
        'added',
        'p99 direct, ms',
        'p99',
        'added',
      ],
      rows,
    )
  } finally {
    await rig.close()
  }
}

/** Requests per second in a closed loop, the best of three after a warm-up. */
async function capacityOf(gateway: Parameters<typeof measure>[0], requests: number) {
  const rounds = []
  for (let round = 0; round < 4; round++)
    rounds.push(await measure(gateway, { connections: CONNECTIONS, requests }))
  return spread(rounds.slice(1), ({ perSecond }) => perSecond).max
}

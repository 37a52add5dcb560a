/** `npm run bench -- scale`: 1, 2 and 4 gateway processes side by side, each with its own journal and log. @module */
import { cpuTimeUs, measure, type Round, type Variant } from './harness.ts'
import { makeBody } from './loan.ts'
import { markdownTable } from './report.ts'
import { openRig, sending } from './rig.ts'

const CONNECTIONS = 32

/** @returns the section's Markdown. */
export async function runScale(requests: number, counts = [1, 2, 4]): Promise<string> {
  const rows: string[][] = []
  for (const count of counts) {
    const rig = await openRig()
    try {
      const body = makeBody(1)
      const gateways: Variant[] = []
      for (let index = 0; index < count; index++)
        gateways.push(sending(await rig.sealgate(`process ${index}`, { secrets: true }), body))
      const load = { connections: Math.ceil(CONNECTIONS / count), requests }
      const run = () => Promise.all(gateways.map((gateway) => measure(gateway, load)))
      for (const gateway of gateways) await gateway.prepare(requests)
      await run() // Warms up.
      for (const gateway of gateways) await gateway.prepare(requests)
      const before = cpuTimeUs([process.pid, rig.bank.pid])
      const startedMs = performance.now()
      const rounds: Round[] = await run()
      const seconds = (performance.now() - startedMs) / 1000
      const others = (cpuTimeUs([process.pid, rig.bank.pid]) - before) / 1e6
      const perSecond = (count * requests) / seconds
      const cost = rounds.reduce((sum, { cpuUs }) => sum + cpuUs, 0) / count
      const memory = rounds.reduce((sum, { residentMb }) => sum + residentMb, 0)
      rows.push([
        String(count),
        perSecond.toFixed(0),
        cost.toFixed(0),
        ((perSecond * cost) / 1e6).toFixed(2),
        (others / seconds).toFixed(2),
        memory.toFixed(0),
      ])
    } finally {
      await rig.close()
    }
  }
  return markdownTable(
    [
      'processes',
      'requests/s in all',
      'CPU µs per request',
      'cores of the gateways',
      'cores of load and bank',
      'resident MB',
    ],
    rows,
  )
}

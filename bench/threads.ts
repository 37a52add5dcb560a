/**
 * Which threads of a gateway take its time: the relay's own, V8's (collector and compiler), the thread
 * pool's, the log's. `node bench/threads.ts [jwt | secrets] [requests] [per second]`; without the last
 * a closed loop. @module
 */
import { measure, threadTimesUs } from './harness.ts'
import { makeBody } from './loan.ts'
import { openRig, sending } from './rig.ts'

const [proof = 'secrets', requests = '12000', perSecond] = process.argv.slice(2)
const ROUNDS = 5
/** Compilers need some ten thousand requests, the old generation some more. */
const WARM_UP = { connections: 32, requests: 20_000 }
const load = {
  requests: Number(requests),
  ...(perSecond === undefined
    ? { connections: 32 }
    : { connections: 128, perSecond: Number(perSecond) }),
}

const rows = []
const rig = await openRig()
try {
  const gateway = sending(await rig.sealgate('Sealgate', { secrets: proof === 'secrets' }), makeBody(1)) // prettier-ignore
  await measure(gateway, WARM_UP)
  for (let round = 0; round < ROUNDS; round++) {
    const before = threadTimesUs(gateway.pids)
    const { cpuUs, perSecond: rate, p50Ms, p99Ms, residentMb } = await measure(gateway, load)
    const each = [...threadTimesUs(gateway.pids)].map(
      ([name, us]) => [name, (us - (before.get(name) ?? 0)) / load.requests] as const,
    )
    rows.push({
      'requests/s': Math.round(rate),
      'CPU µs': Math.round(cpuUs),
      ...Object.fromEntries(each.filter(([, us]) => us >= 1).map(([name, us]) => [name, Math.round(us)])), // prettier-ignore
      'p50 ms': Number(p50Ms.toFixed(2)),
      'p99 ms': Number(p99Ms.toFixed(2)),
      MB: Math.round(residentMb),
    })
  }
} finally {
  await rig.close()
}
console.table(rows)

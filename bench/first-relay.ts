/**
 * CPU per request of the whole gateway, evidence included, beside a bare express +
 * http-proxy-middleware relay: interleaved rounds, answers checked first.
 * `node bench/first-relay.ts [rounds] [requests]` @module
 */
import { join } from 'node:path'
import { json, startBank } from '../test/support/bank.ts'
import { type Installation, createInstallation } from '../test/support/installation.ts'
import { spawnGateway } from '../test/support/process.ts'
import { ANSWER, makeBody, POLICY } from './loan.ts'
import { type Variant, interleave, measure, spread, startServer } from './harness.ts'

const CONNECTIONS = 32
const SIZES_KB = [1, 10, 100]
const TARGET = '/harbour-bank/bench'
/** A variant whose requests are ready-made: a fresh JWT for each is the caller's cost. */
async function makeVariant(
  name: string,
  { port, pid }: { port: number; pid: number | undefined },
  { installation, body, requests }: { installation: Installation; body: Buffer; requests: number },
): Promise<Variant> {
  const exp = Math.floor(Date.now() / 1000) + 280
  const ready = await Promise.all(
    Array.from({ length: requests }, async () => {
      const jwt = await installation.platform.jwt('harbour-bank', { exp })
      const head =
        `POST ${TARGET} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer ${jwt}\r\n` +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
      return Buffer.concat([Buffer.from(head), body])
    }),
  )
  const nextRequest = () => {
    const request = ready.pop()
    if (request === undefined) throw new Error('too few requests were made ready')
    return request
  }
  return { name, port, pids: [pid ?? 0], nextRequest }
}

const [rounds = 7, requests = 400] = process.argv.slice(2).map(Number)
const bank = await startBank()
bank.answer = (_request, response) => {
  if (bank.received.length > 1) bank.received.length = 1
  json(response, ANSWER)
}
const installation = await createInstallation(bank.url)
installation.addPolicy('bench.yaml', POLICY)
const gateway = await spawnGateway(installation.configFile)
const bare = await startServer(process.execPath, [
  join(import.meta.dirname, 'bare-relay.ts'),
  bank.url,
])
const places = {
  'express + HPM': { port: bare.port, pid: bare.child.pid },
  Sealgate: { port: Number(new URL(gateway.relayUrl).port), pid: gateway.child.pid },
}
try {
  process.stdout.write(
    '| body | express + HPM, CPU µs | Sealgate complete, CPU µs | ratio |\n|---|---|---|---|\n',
  )
  for (const kb of SIZES_KB) {
    const body = makeBody(kb)
    const made = { installation, body, requests: (rounds + 1) * requests + 1 }
    const variants: Variant[] = []
    for (const [name, place] of Object.entries(places)) {
      const variant = await makeVariant(name, place, made)
      bank.received.length = 0
      await measure(variant, { connections: 1, requests: 1 })
      checkKept(name, body, bank.received[0]?.body ?? '')
      variants.push(variant)
    }
    const results = await interleave(variants, { connections: CONNECTIONS, requests }, rounds)
    const [base, ours] = variants.map(({ name }) => spread(results.get(name) ?? [], (r) => r.cpuUs))
    if (base === undefined || ours === undefined) throw new Error('no results')
    const shown = ({ median, min, max }: typeof base) =>
      `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`
    const ratio = (ours.median / base.median).toFixed(2)
    process.stdout.write(`| ${kb} KB | ${shown(base)} | ${shown(ours)} | ${ratio} |\n`)
  }
} finally {
  bare.child.kill()
  await gateway.kill('SIGTERM')
  await bank.close()
  installation.remove()
}

/** A variant that does not pass on what is kept, byte for byte, is not measured. */
function checkKept(name: string, body: Buffer, seen: string): void {
  const kept = JSON.stringify((JSON.parse(body.toString()) as { items: unknown }).items)
  if (!seen.includes(kept)) throw new Error(`${name} did not pass on what is kept`)
}

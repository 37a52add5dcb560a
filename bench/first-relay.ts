/**
 * CPU per request of the whole gateway, evidence included, beside a bare express +
 * http-proxy-middleware relay: interleaved rounds, answers checked first.
 * `node bench/first-relay.ts [rounds] [requests]` @module
 */
import { join } from 'node:path'
import { json, startBank } from '../test/support/bank.ts'
import { type Installation, createInstallation } from '../test/support/installation.ts'
import { spawnGateway } from '../test/support/process.ts'
import { type Variant, interleave, measure, spread, startServer } from './harness.ts'

const CONNECTIONS = 32
const SIZES_KB = [1, 10, 100]
const TARGET = '/harbour-bank/bench'
const ANSWER = JSON.stringify({ status: 'accepted', applicationId: 'APP-1', limit: '50000.00' })

const POLICY = `policy: bench
version: 1
title: { zh: 性能, en: Benchmark }
from: sunrise-platform
to: harbour-bank
when: { method: POST, path: /bench }
purpose: credit-assessment
legal: { basis: separate-consent, pia: { id: PIA-1, date: 2026-03-02 } }
evidence: { links: { application: $.applicationId }, custody: none, retain: 5y }
request:
  unnamed: drop
  fields:
    $.applicationId:      keep
    $.amount:             keep
    $.applicant.name:     { kind: name, mask: surname }
    $.applicant.idNumber: { kind: resident-id, tokenize: opaque }
    $.applicant.mobile:   { kind: mobile, tokenize: opaque }
    $.applicant.email:    drop
    $.applicant.address:  { kind: address, mask: address }
    $.card:               { kind: bank-card, tokenize: opaque }
    $.spouse.name:        drop
    $.spouse.mobile:      { kind: mobile, pseudonymise: hmac-sha-256 }
    $.items:              keep
response:
  unnamed: drop
  fields: { $.status: keep, $.applicationId: keep, $.limit: keep }
tests:
  - name: the mobile number is a token
    request: { applicant: { mobile: "13800138000" } }
    relayed: { applicant: { mobile: { token: mobile } } }
    never: [ "13800138000" ]
`

/** A body of about `kb` KB: eight personal fields, the rest plain order lines. */
function makeBody(kb: number): Buffer {
  const items: object[] = []
  const body = {
    applicationId: 'APP-1',
    amount: '50000.00',
    applicant: {
      name: '王小明',
      idNumber: '11010519491231002X',
      mobile: '13800138000',
      email: 'wang@example.com',
      address: '北京市海淀区中关村大街27号院3号楼2单元501室',
    },
    card: '6217000012345678907',
    spouse: { name: '李静', mobile: '13900139000' },
    items,
  }
  while (Buffer.byteLength(JSON.stringify(body)) < kb * 1024 - 60) {
    items.push({ sku: `article ${items.length}`, price: '12.50', count: 3, note: 'blue, boxed' })
  }
  return Buffer.from(JSON.stringify(body))
}

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

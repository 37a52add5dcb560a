/**
 * CPU per request of the whole gateway, evidence included, beside a bare express +
 * http-proxy-middleware relay: interleaved rounds, answers checked first.
 * `node bench/first-relay.ts [rounds] [requests]` @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { json, startBank } from '../test/support/bank.ts'
import { call } from '../test/support/client.ts'
import { type Installation, createInstallation } from '../test/support/installation.ts'
import { spawnGateway } from '../test/support/process.ts'

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

interface Variant {
  readonly name: string
  readonly url: string
  readonly pid: number
}

/** CPU time of a process in microseconds, user and system (proc(5)). */
function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

async function spawnBare(target: string): Promise<Variant & { end: () => void }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare-relay.ts'), target])
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const { relay } = JSON.parse(line.toString()) as { relay: string }
  return {
    name: 'express + HPM',
    url: relay + TARGET,
    pid: child.pid ?? 0,
    end: () => child.kill(),
  }
}

/** Sends `count` requests over kept connections. @returns CPU µs per request of the variant. */
async function round(
  variant: Variant,
  installation: Installation,
  body: Buffer,
  count: number,
): Promise<number> {
  // Every request needs a fresh JWT; making them is the caller's cost and stays outside.
  const tokens = await Promise.all(
    Array.from({ length: count }, () => installation.platform.jwt('harbour-bank')),
  )
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const before = cpuUs(variant.pid)
  const caller = async () => {
    for (let token = tokens.pop(); token !== undefined; token = tokens.pop()) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const answer = await call(variant.url, { body, headers, agent })
      if (answer.status !== 200) throw new Error(`${variant.name}: ${answer.status} ${answer.body}`)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, caller))
  const used = cpuUs(variant.pid) - before
  agent.destroy()
  return used / count
}

async function check(
  variant: Variant,
  installation: Installation,
  body: Buffer,
  seen: () => string,
) {
  await round(variant, installation, body, 1)
  const kept = JSON.stringify((JSON.parse(body.toString()) as { items: unknown }).items)
  if (!seen().includes(kept)) throw new Error(`${variant.name} did not pass on what is kept`)
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const [rounds = '7', requests = '400'] = process.argv.slice(2)
const bank = await startBank()
bank.answer = (_request, response) => {
  if (bank.received.length > 1) bank.received.length = 1
  json(response, ANSWER)
}
const installation = await createInstallation(bank.url)
installation.addPolicy('bench.yaml', POLICY)
const gateway = await spawnGateway(installation.configFile)
const bare = await spawnBare(bank.url)
const sealgate = {
  name: 'Sealgate',
  url: gateway.relayUrl + TARGET,
  pid: gateway.child.pid ?? 0,
}
try {
  process.stdout.write(
    '| body | express + HPM, µs | Sealgate complete, µs | ratio |\n|---|---|---|---|\n',
  )
  for (const kb of SIZES_KB) {
    const body = makeBody(kb)
    const used = new Map<Variant, number[]>([
      [bare, []],
      [sealgate, []],
    ])
    for (const variant of used.keys()) {
      bank.received.length = 0
      await check(variant, installation, body, () => bank.received[0]?.body ?? '')
      await round(variant, installation, body, Number(requests)) // Warm.
    }
    for (let i = 0; i < Number(rounds); i++) {
      for (const [variant, list] of used) {
        list.push(await round(variant, installation, body, Number(requests)))
      }
    }
    const [base = 0, ours = 0] = [...used.values()].map(median)
    const ratio = (ours / base).toFixed(2)
    process.stdout.write(`| ${kb} KB | ${base.toFixed(0)} | ${ours.toFixed(0)} | ${ratio} |\n`)
  }
} finally {
  bare.end()
  await gateway.kill('SIGTERM')
  await bank.close()
  installation.remove()
}

import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { createLogger } from '../../gateway/log.ts'
import { retireKeys, rotateKeyRing } from '../../gateway/token/ring-file.ts'
import { systemClock } from '../../base/clock.ts'
import { randomBytes } from 'node:crypto'
import { json, startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { useRelay } from '../support/relay.ts'

const MOBILE = '13800138000'
const DEAD_RULE_USES = 3

/** @param fields of the request. */
function policyText(version: number, fields: string, mode = 'enforce'): string {
  return `policy: life
version: ${version}
title: { zh: 测试, en: Test }
from: sunrise-platform
to: harbour-bank
when: { method: POST, path: /life }
purpose: servicing
mode: ${mode}
legal: { basis: contract, pia: { id: PIA-1, date: 2026-01-01 } }
evidence: { links: {}, custody: none, retain: 5y }
request:
  unnamed: drop
  fields: { ${fields} }
response:
  unnamed: drop
  fields: { $.mobile: { kind: mobile, reveal: mobile } }
tests: [ { name: keeps a, request: { a: 1 }, relayed: { a: 1 } } ]
`
}
const TOKEN = '$.mobile: { kind: mobile, tokenize: opaque }'

interface Status {
  id: string
  version: number
  mode: string
  uses: number
  differing: number
  refused: Record<string, number>
  rules: { rule: string; text: string; hits: number }[]
  dead: string[]
}

describe('the life of a policy in a running gateway', () => {
  const relay = useRelay(startBank, { each: true })

  beforeEach(async () => {
    relay.installation.addPolicy('life.yaml', policyText(1, `$.a: keep, $.z: keep, ${TOKEN}`))
    const limits = { DEAD_RULE_USES }
    await relay.start({ limits, log: createLogger('silent') })
  })

  async function send(body: unknown) {
    const answer = await relay.post('/harbour-bank/life', JSON.stringify(body))
    return {
      answer,
      got: JSON.parse(relay.recipient.received.at(-1)?.body ?? '{}') as Record<string, string>,
    }
  }
  const ask = async (path: string) =>
    (await call(relay.gateway.adminUrl + path, { method: 'GET' })).body
  const status = async (version: number): Promise<Status | undefined> =>
    (JSON.parse(await ask('/api/policies')) as { policies: Status[] }).policies.find(
      (policy) => policy.id === 'life' && policy.version === version,
    )

  /** Waits until something is so; the files are looked at once they have been quiet. */
  async function until(isSo: () => Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < 100; turn++) {
      if (await isSo()) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error('it never came to be')
  }

  it('puts an edited policy in force without a restart, and keeps the last good one', async () => {
    expect((await send({ a: 1, b: 2 })).got).to.deep.equal({ a: 1 })
    relay.installation.addPolicy('life.yaml', policyText(2, '$.a: keep, $.b: keep'))
    await until(async () => (await status(2)) !== undefined)
    expect((await send({ a: 1, b: 2 })).got).to.deep.equal({ a: 1, b: 2 })
    relay.installation.addPolicy('life.yaml', policyText(3, '$.b: keep'))
    await until(async () => (await ask('/metrics')).includes('sealgate_policies_stale 1'))
    expect((await send({ a: 1, b: 2 })).got).to.deep.equal({ a: 1, b: 2 })
    const ready = JSON.parse(await ask('/readyz')) as { status: string; warnings: string[] }
    expect(ready.status).to.equal('ready')
    expect(ready.warnings[0]).to.match(/not in force: .*life\.yaml:\d+:\d+: test `keeps a` fails/)
    expect(await ask('/metrics')).to.include('sealgate_policy_reloads_total{result="rejected"} 1')
    relay.installation.addPolicy('life.yaml', policyText(4, '$.a: keep'))
    await until(async () => (await ask('/metrics')).includes('sealgate_policies_stale 0'))
    expect((await send({ a: 1, b: 2 })).got).to.deep.equal({ a: 1 })
  })

  it('puts an edited dictionary of kinds in force, or refuses it', async () => {
    writeFileSync(relay.inFolder('policies', 'kinds.yaml'), 'kinds: {}\n')
    await until(async () => (await ask('/metrics')).includes('sealgate_policies_stale 1'))
    expect((await send({ a: MOBILE })).answer.status).to.equal(422)
  })

  it('rotates and retires token keys without a restart', async () => {
    const folder = relay.inFolder('data', 'keys')
    const first = (await send({ mobile: MOBILE })).got['mobile'] ?? ''
    expect(first).to.match(/^tok_mobile_1_/)
    rotateKeyRing(folder, { clock: systemClock, random: (bytes) => randomBytes(bytes) })
    const tokenNow = async () => (await send({ mobile: MOBILE })).got['mobile'] ?? ''
    await until(async () => (await tokenNow()).startsWith('tok_mobile_2_'))
    relay.recipient.answer = (_request, response) => json(response, { mobile: first })
    expect(JSON.parse((await send({})).answer.body)).to.deep.equal({ mobile: MOBILE })
    retireKeys(folder, 2)
    await until(async () => (await send({})).answer.status === 502)
    relay.recipient.answer = ({ body }, response) => json(response, body)
    expect(JSON.parse((await send({ mobile: MOBILE })).answer.body)).to.deep.equal({
      mobile: MOBILE,
    })
  })

  it('counts what each rule met, and alarms at rules that never do', async () => {
    for (let sent = 0; sent < DEAD_RULE_USES; sent++) await send({ a: 1, mobile: MOBILE })
    const { uses, rules, dead } = (await status(1)) ?? {}
    expect(uses).to.equal(3)
    expect(rules?.map(({ text, hits }) => `${text} ${hits}`)).to.deep.equal([
      '$.a 3',
      '$.z 0',
      '$.mobile 3',
      '$.mobile 0',
    ])
    expect(dead).to.deep.equal(['R2', 'R4'])
    const metrics = await ask('/metrics')
    const labels = 'policy="life",version="1",mode="enforce"'
    expect(metrics).to.include(`sealgate_rule_hits_total{${labels},rule="R1"} 3`)
    expect(metrics).to.include(`sealgate_dead_rules{${labels}} 2`)
  })

  it('replays what the log holds against a version that is not in force yet', async () => {
    for (let sent = 0; sent < 2; sent++) await send({ a: 1, mobile: MOBILE, x: MOBILE })
    await relay.stop()
    const next = relay.inFolder('next.yaml')
    writeFileSync(next, policyText(2, '$.a: keep, $.mobile: { kind: mobile, mask: default }'))
    cpSync(relay.inFolder('policies/kinds.yaml'), relay.inFolder('kinds.yaml'))
    const command = ['cli/sealgate.js', 'policy', 'replay', next]
    const options = ['--config', relay.installation.configFile]
    const printed = execFileSync(process.execPath, [...command, ...options], { encoding: 'utf8' })
    await relay.start()
    const [change, total] = printed.split('\n')
    expect(change).to.equal(
      '  + request $.mobile: tokenize (mobile) → mask: default (mobile), 2 values in 2 exchanges',
    )
    expect(total).to.match(/^2 exchanges replayed, 1 changes; \d values had no rule/)
    expect(printed).to.not.include(MOBILE)
  })

  it('has a shadow version decide live traffic too, and lets none of it out', async () => {
    const shadow = policyText(2, '$.a: keep, $.b: keep, $.c: refuse, $.mobile: drop', 'shadow')
    relay.installation.addPolicy('life-shadow.yaml', shadow)
    await until(async () => (await status(2)) !== undefined)
    expect((await send({ a: 1, z: 2 })).got).to.deep.equal({ a: 1, z: 2 })
    expect((await send({ a: 1, b: 2 })).got).to.deep.equal({ a: 1 })
    expect((await send({ a: 1, c: 3 })).got).to.deep.equal({ a: 1 })
    expect((await send({ a: 1, b: MOBILE })).answer.status).to.equal(200)
    await send({ a: 1 })
    await until(async () => ((await status(2))?.differing ?? 0) === 4)
    const seen = await status(2)
    expect(seen?.mode).to.equal('shadow')
    expect(seen?.uses).to.equal(5)
    expect(seen?.refused).to.deep.equal({ 'value-unsuitable': 1, 'leak-detected': 1 })
    expect(await ask('/metrics')).to.include(
      'sealgate_shadow_differences_total{policy="life",version="2",mode="shadow"} 4',
    )
    expect(await ask('/api/policies')).to.not.include(MOBILE)
  })
})

import { expect } from 'chai'
import { type Clock, systemClock } from '../../base/clock.ts'
import { createReport, renderReport } from '../../base/diagnostic.ts'
import { sendCanary } from '../../gateway/canary.ts'
import type { Content } from '../../gateway/content.ts'
import { createGuard } from '../../gateway/guard/guard.ts'
import { loadRegistry } from '../../gateway/policy/registry.ts'
import { createRehearsal } from '../../gateway/policy/rehearsal.ts'
import { throwawayKeyRing } from '../../gateway/token/ring.ts'
import { keep } from '../../gateway/transform/plain.ts'
import { loadDictionary } from '../guard/dictionary.ts'
import { startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { createInstallation } from '../support/installation.ts'
import { leaksIn } from '../support/leak.ts'

const PLANTED = ['欧阳试点', '11010519491231002X', '13800138000', '6217000012345678907']
const HASHED = `policy: hashed
version: 1
title: { zh: 测试, en: Test }
from: sunrise-platform
to: harbour-bank
when: { method: POST, path: "/hashed/{id}" }
purpose: servicing
legal: { basis: contract, pia: { id: PIA-1, date: 2026-01-01 } }
request:
  path: { id: keep }
  fields: { $.mobile: { kind: mobile, legacy-hash: md5, signOff: Li Jing, expires: EXPIRES } }
tests:
  - name: the partner matches by a hash
    request: { mobile: "13700137000" }
    relayed: { mobile: 17d35429d964901ff7130b694c4d3879 }
`

/** The library as it would be in force, with transforms of the test's choice. */
async function contentWith(transforms: ReturnType<typeof createRehearsal>): Promise<Content> {
  const kinds = loadDictionary()
  const report = createReport()
  const registry = await loadRegistry('policies', { transforms, kinds }, report)
  if (registry === undefined) throw new Error(renderReport(report, ['error']))
  const keys = throwawayKeyRing()
  return { registry, guard: createGuard(kinds), keys, rehearsal: transforms }
}

describe('the canary', () => {
  const sound = createRehearsal(loadDictionary())

  it('passes through every policy of the library', async () => {
    expect(await sendCanary(await contentWith(sound))).to.deep.equal([])
  })

  it('finds a transform that no longer does what the policy says, and quotes no value', async () => {
    const content = await contentWith(sound)
    const rehearsal = new Map([...sound, ['pseudonymise', keep]] as const)
    const failures = await sendCanary({ ...content, rehearsal })
    expect(failures).to.deep.include({
      policy: 'eligibility',
      version: 1,
      what: 'the request is stopped by the leak guard',
    })
    expect(failures.map(({ what }) => what.replace(/\d+/, 'N'))).to.include(
      'test `the bank can match the borrower and cannot name him` (line N)',
    )
    expect(leaksIn(JSON.stringify(failures), PLANTED)).to.deep.equal([])
  })

  it('finds a leak that the guard does not see', async () => {
    const content = await contentWith(sound)
    const rehearsal = new Map([...sound, ['pseudonymise', keep]] as const)
    const guard = { inspect: () => [] }
    const failures = await sendCanary({ ...content, rehearsal, guard })
    expect(failures).to.deep.include({
      policy: 'eligibility',
      version: 1,
      what: 'the request lets 2 values of the borrower out',
    })
  })

  it('finds a route that leads to another policy', async () => {
    const content = await contentWith(sound)
    const { active } = content.registry
    const failures = await sendCanary({
      ...content,
      registry: { active, idle: [], match: () => undefined },
    })
    expect(failures).to.have.length(active.length)
    expect(failures[0]?.what).to.equal('its route leads to another policy')
  })

  it('runs on a timer in a gateway, and alarms when a policy stops working', async () => {
    let ahead = 0n
    const clock: Clock = { ...systemClock, wallUs: () => systemClock.wallUs() + ahead }
    const bank = await startBank()
    const installation = await createInstallation(bank.url)
    const day = new Date(Date.now() + 24 * 3_600_000).toISOString().slice(0, 10)
    installation.addPolicy('hashed.yaml', HASHED.replace('EXPIRES', day))
    const gateway = await installation.start({ clock, limits: { CANARY_INTERVAL_MS: 50 } })
    const ask = async (path: string) =>
      (await call(gateway.adminUrl + path, { method: 'GET' })).body
    const until = async (pattern: RegExp) => {
      for (let turn = 0; turn < 200; turn++) {
        const metrics = await ask('/metrics')
        if (pattern.test(metrics)) return
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      throw new Error(`never: ${pattern}`)
    }
    try {
      await until(/^sealgate_canary_runs_total [2-9]/m)
      expect(await ask('/metrics')).to.match(/^sealgate_canary_failures 0$/m)
      ahead = 3n * 24n * 3_600_000_000n
      await until(/^sealgate_canary_failures 1$/m)
      const { warnings } = JSON.parse(await ask('/readyz')) as { warnings: string[] }
      expect(warnings).to.deep.equal([
        'canary: hashed 1: test `the partner matches by a hash` (line 13)',
      ])
      expect(await ask('/metrics')).to.match(/^sealgate_policies_stale 0$/m)
      expect(bank.received).to.deep.equal([])
    } finally {
      await gateway.close()
      await bank.close()
      installation.remove()
    }
  })
})

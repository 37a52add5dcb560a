/**
 * Kills the gateway with SIGKILL at random moments under load and restarts it. Afterwards every
 * request that the bank saw must have a sealed record, once, and the log must be whole.
 * `node test/faults/kill.ts [kills] [seed]` @module
 */
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { json, startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { type GatewayProcess, spawnGateway } from '../support/process.ts'
import { seededRandom } from '../support/random.ts'
import { checkLog, readRecords } from '../support/records.ts'
import { APPLICATION } from '../support/relay.ts'

const CALLERS = 16
const LOAD_MS_MAX = 400

/** What a run of kills left. */
export interface KillReport {
  readonly seed: number
  readonly kills: number
  readonly answered: number
  readonly seenByBank: number
  readonly records: number
  readonly unknown: number
  /** Evidence-Ids that the bank saw and the log lacks. */
  readonly missing: readonly string[]
  /** Answers to callers without a record. */
  readonly unrecorded: readonly string[]
  /** Evidence-Ids that stand in the log more than once. */
  readonly doubled: readonly string[]
}

/** Runs the kills. @throws when the log contradicts itself. */
export async function runKills(kills: number, seed: number): Promise<KillReport> {
  const random = seededRandom(seed)
  const bank = await startBank()
  bank.answer = (_request, response) => {
    setTimeout(() => json(response, { status: 'accepted' }), random() * 5)
  }
  const installation = await createInstallation(bank.url)
  const answered = new Set<string>()
  try {
    for (let i = 0; i < kills; i++) {
      const gateway = await spawnGateway(installation.configFile)
      const load = startLoad(installation, gateway, answered)
      await sleep(random() * LOAD_MS_MAX)
      await gateway.kill('SIGKILL')
      await load.stop()
    }
    const last = await spawnGateway(installation.configFile)
    await last.kill('SIGTERM')
    return await report(installation, { seed, kills, answered, seen: seenBy(bank.received) })
  } finally {
    await bank.close()
    installation.remove()
  }
}

function seenBy(received: readonly { headers: Record<string, unknown> }[]): Set<string> {
  return new Set(received.map(({ headers }) => String(headers['evidence-id'])))
}

async function report(
  installation: Installation,
  {
    seed,
    kills,
    answered,
    seen,
  }: { seed: number; kills: number; answered: Set<string>; seen: Set<string> },
): Promise<KillReport> {
  await checkLog(installation.config())
  const records = await readRecords(installation.config())
  const counts = new Map<string, number>()
  for (const { rid } of records) counts.set(rid, (counts.get(rid) ?? 0) + 1)
  return {
    seed,
    kills,
    answered: answered.size,
    seenByBank: seen.size,
    records: records.length,
    unknown: records.filter(({ outcome }) => outcome === 'unknown').length,
    missing: [...seen].filter((rid) => !counts.has(rid)),
    unrecorded: [...answered].filter((rid) => !counts.has(rid)),
    doubled: [...counts].filter(([, count]) => count > 1).map(([rid]) => rid),
  }
}

/** Callers that send one request after another until the gateway is gone. */
function startLoad(installation: Installation, gateway: GatewayProcess, answered: Set<string>) {
  let stopped = false
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS })
  const url = `${gateway.relayUrl}/harbour-bank/credit/applications`
  const caller = async () => {
    while (!stopped) {
      const authorization = `Bearer ${await installation.platform.jwt('harbour-bank')}`
      const headers = { authorization, 'content-type': 'application/json' }
      const answer = await call(url, { body: APPLICATION, headers, agent }).catch(() => undefined)
      if (answer === undefined) return // The gateway was killed.
      answered.add(String(answer.headers['evidence-id']))
    }
  }
  const callers = Array.from({ length: CALLERS }, caller)
  return {
    stop: async () => {
      stopped = true
      await Promise.all(callers)
      agent.destroy()
    },
  }
}

if (import.meta.main) {
  const [kills = '50', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2)
  const result = await runKills(Number(kills), Number(seed))
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
  const { missing, unrecorded, doubled } = result
  process.exitCode = missing.length + unrecorded.length + doubled.length === 0 ? 0 : 1
}

/** Wires a gateway from its configuration; the logic is elsewhere. @module */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { type Server, createServer } from 'node:http'
import { join } from 'node:path'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Report } from '../base/diagnostic.ts'
import { openAdminSecret } from './admin-secret.ts'
import { toPem } from '../evidence/pem.ts'
import { openRevocationLists } from '../evidence/x509-lists.ts'
import type { Config } from './config.ts'
import { startCanary, warningsOf } from './canary.ts'
import { type Content, openContent } from './content.ts'
import { type Evidence, openEvidence } from './evidence.ts'
import { openEnvelopes } from './envelope/envelope.ts'
import { readDesks } from './file/status.ts'
import { createAdminApp } from './http/admin.ts'
import { createApi } from './http/api.ts'
import { addDeposits } from './http/deposit.ts'
import { refusalOf } from './http/facts.ts'
import { createLegs } from './http/legs.ts'
import { RELAY_LIMITS, type RelayLimits } from './http/limits.ts'
import { addDeskMetrics } from './http/desk-metrics.ts'
import { createMetrics } from './http/metrics.ts'
import { addWitnessMetrics } from './http/witness-metrics.ts'
import { addPolicyMetrics } from './http/policy-metrics.ts'
import { type Relay, type RelayPorts, createRelay } from './http/relay.ts'
import { addTransferMetrics } from './http/transfer-metrics.ts'
import { createRelayApp, createRelayServer, listen } from './http/server.ts'
import { type Logger, describeError } from './log.ts'
import { createOversight, namesOf, type Oversight } from './oversight.ts'
import { openParties } from './party/registry.ts'
import { createPolicyArchive } from './policy/archive.ts'
import { policyArchive } from './places.ts'
import type { Live } from './policy/live.ts'
import { openRelayKey } from './signature/key-file.ts'
import { createMessageSigner, type PublicSigner } from './signature/sign.ts'
import { type RunCommand, runCommand } from '../workers/clock.ts'
import { steerBy } from './steer.ts'
import { openSpoolFolder } from './stream/spool.ts'
import { createTransfers } from './stream/transfers.ts'
import { generateKeyRing, openKeyRing } from './token/ring-file.ts'
import { openVaultStore } from './token/vault-file.ts'
import { openEnds } from './upload/ends.ts'
import { createUploads, type UploadPorts, type Uploads } from './upload/uploads.ts'

/** What tests and the command line set. */
export interface GatewayOptions {
  readonly log: Logger
  /** Collects what is wrong with policies and kinds. */
  readonly report: Report
  readonly limits?: Partial<RelayLimits>
  readonly clock?: Clock
  /** Asks the machine's time service. */
  readonly run?: RunCommand
  /** Changes what the relay is made of: how benchmarks learn what a part costs. */
  readonly refit?: (parts: RelayParts) => RelayParts
}

/** What the relay is made of. */
export type RelayParts = Omit<RelayPorts, 'observe' | 'report'> & { readonly signer: PublicSigner }

/** A running gateway. */
export interface Gateway {
  readonly relayUrl: string
  readonly adminUrl: string
  /** Stops accepting, finishes what is under way, hands the evidence over. */
  close(): Promise<void>
}

/**
 * Starts a gateway.
 *
 * @returns undefined when policies or kinds are wrong; `options.report` then says what.
 * @throws {ConfigFault} or {Problem} when anything else cannot be opened.
 */
export async function startGateway(
  config: Config,
  options: GatewayOptions,
): Promise<Gateway | undefined> {
  const { log, report, clock = systemClock, run: ask = runCommand } = options
  const limits = { ...RELAY_LIMITS, ...options.limits }
  mkdirSync(config.data, { recursive: true, mode: 0o700 })
  const parties = openParties(config.parties, clock)
  ensureKeys(config.data, clock)
  const signer = createMessageSigner(openRelayKey(join(config.data, 'keys', 'relay.pem')))
  const oversight = createOversight(log, limits.DEAD_RULE_USES)
  const vault = openVaultStore(join(config.data, 'vault.sqlite'))
  const opened: (() => unknown)[] = [() => vault.close()]
  const close = async () => {
    for (const end of opened.toReversed()) await end()
  }
  try {
    const archive = createPolicyArchive(policyArchive(config.data), (message, error) =>
      log.error({ error: describeError(error) }, message),
    )
    const content = await openContent(config, { clock, vault, archive }, report, oversight.events)
    if (content === undefined) {
      await close()
      return undefined
    }
    opened.push(() => content.close())
    log.info(namesOf(content.current().registry), 'policies loaded')
    const evidence = await openEvidence(config, { clock, log, ask })
    opened.push(() => evidence.close())
    archive.sealBy(evidence.recorder.note)
    const envelopes = await openEnvelopes(config.envelopes, clock)
    const leg = createLegs(clock, limits)
    const { recorder } = evidence
    const long = {
      spools: openSpoolFolder(join(config.data, 'spool'), limits.SPOOL_BYTES_MAX),
      transfers: createTransfers(clock, limits.STREAMS_MAX),
      hindrance: recorder.broken,
    }
    const uploads = openUploads(config.data, { clock, limits, recorder, log, ...long })
    opened.push(() => uploads.close())
    const ports = { clock, limits, parties, leg, signer, envelopes, recorder, uploads, ...long }
    const { refit = (parts: RelayParts) => parts } = options
    const parts = refit({ ...ports, ...steerBy(content.current) })
    const gateway = await run(config, parts, { evidence, log, content, oversight, close })
    globalThis.gc?.() // What made the start is garbage. With `--expose-gc`, as cli/sealgate.js has it.
    return gateway
  } catch (error) {
    await close()
    throw error
  }
}

type UploadParts = Pick<RelayParts, 'clock' | 'limits' | 'recorder' | 'spools' | 'transfers'>

function openUploads(data: string, { log, ...parts }: UploadParts & { log: Logger }): Uploads {
  const { clock, limits, recorder } = parts
  const report = (error: unknown) => log.error({ error: describeError(error) }, 'upload')
  const ends = openEnds({
    folder: join(data, 'uploads'),
    clock,
    ageMsMax: limits.UPLOAD_END_AGE_MS,
    countMax: limits.UPLOAD_ENDS_MAX,
    report,
  })
  const seal: UploadPorts['seal'] = async ({ begun, rid }, problem) => {
    log.info({ rid, status: problem.status, problem: problem.slug }, 'refused')
    await recorder.refuse(refusalOf({ ...begun, rid }, problem, clock.wallUs()))
  }
  return createUploads({ ...parts, ends, seal, report })
}

/** What is open, and ends with the gateway. */
interface House {
  readonly evidence: Evidence
  readonly log: Logger
  readonly content: Live<Content>
  readonly oversight: Oversight
  readonly close: () => Promise<void>
}

/** Issued anew, at a request, once half of their life has passed. */
async function publishRevocationLists(data: string, clock: Clock): Promise<string> {
  const lists = await openRevocationLists(join(data, 'keys'), clock)
  return lists.map((der) => toPem('X509 CRL', der)).join('')
}

async function run(
  config: Config,
  parts: RelayParts,
  { evidence, log, content, oversight, close }: House,
): Promise<Gateway> {
  let draining = false
  const report = (error: unknown, rid?: string) =>
    log.error({ rid, error: describeError(error) }, 'bug')
  const metrics = createMetrics({
    inFlight: () => relay.inFlight(),
    backlog: () => evidence.recorder.backlog(),
  })
  const policies = () =>
    oversight.status(content.current().registry.active.map(({ policy }) => policy))
  const canary = startCanary(content.current, log, parts.limits.CANARY_INTERVAL_MS)
  const { witnessing } = evidence
  const warnings = () => [
    ...oversight.warnings(),
    ...warningsOf(canary.state()),
    ...evidence.warnings(),
  ]
  if (witnessing !== undefined) addWitnessMetrics(metrics.registry, witnessing)
  const { reloads, stale } = oversight
  addPolicyMetrics(metrics.registry, { status: policies, reloads, stale, canary: canary.state })
  const relay: Relay = createRelay({
    ...parts,
    observe: (exchange, status, seconds) => {
      metrics.observe(exchange, status, seconds)
      oversight.observe(parts, exchange)
      const { rid, problem } = exchange
      if (problem !== undefined) log.info({ rid, status, problem: problem.slug }, 'refused')
    },
    report,
  })
  const unready = () => [
    ...(draining ? ['shutting down'] : []),
    ...[evidence.recorder.failure()?.message].filter((message) => message !== undefined),
  ]
  const deposits = { ...parts, note: evidence.recorder.note, report }
  const desks = () => readDesks(config.data, parts.clock)
  addTransferMetrics(metrics.registry, parts)
  addDeskMetrics(metrics.registry, desks)
  const secret = openAdminSecret(config.data)
  const api = createApi({ ...deposits, evidence, desks, secret })
  const lists = () => publishRevocationLists(config.data, parts.clock)
  const app = createRelayApp(relay, [parts.signer.publicJwk], lists, (on) =>
    addDeposits(on, deposits),
  )
  const relayServer = createRelayServer(app, relay, config.relay, parts.limits)
  const state = { unready, warnings, policies }
  const adminServer = createServer(createAdminApp(metrics, state, api))
  const shut = async () => {
    draining = true
    await drain(relayServer, relay, parts.limits)
    parts.leg.close()
    canary.close()
    await close()
    await stop(adminServer)
  }
  try {
    const relayUrl = await listen(relayServer, config.relay, 'relay.listen')
    const adminUrl = await listen(adminServer, config.admin, 'admin.listen')
    log.info({ relay: relayUrl, admin: adminUrl }, 'sealgate is ready')
    return { relayUrl, adminUrl, close: shut }
  } catch (error) {
    canary.close()
    if (relayServer.listening) await stop(relayServer)
    throw error
  }
}

/** A fresh installation makes its keys; one that has evidence must not lose them unnoticed. */
function ensureKeys(data: string, clock: Clock): void {
  const folder = join(data, 'keys')
  const fresh = !existsSync(join(data, 'journal')) && !existsSync(join(folder, 'tokens.json'))
  if (fresh) generateKeyRing(folder, { clock, random: (bytes) => randomBytes(bytes) })
  else openKeyRing(folder)
}

/** Refuses new connections and lets exchanges end; then closes what is left. */
async function drain(server: Server, relay: Relay, limits: RelayLimits): Promise<void> {
  let open = true
  const closed = stop(server).then(() => {
    open = false
  })
  const until = Date.now() + limits.DRAIN_TIMEOUT_MS
  // An exchange may outlive its caller's connection, and an answer its exchange.
  while ((open || relay.inFlight() > 0) && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    server.closeIdleConnections()
  }
  server.closeAllConnections()
  await closed
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
}

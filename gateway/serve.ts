/** Wires a gateway from its configuration; the logic is elsewhere. @module */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { type Server, createServer } from 'node:http'
import { join } from 'node:path'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Report } from '../base/diagnostic.ts'
import { openAdminSecret } from './admin-secret.ts'
import type { Config } from './config.ts'
import { type Evidence, openEvidence } from './evidence.ts'
import { type Allowed, allowedBy } from './guard/allowed.ts'
import type { Guard } from './guard/guard.ts'
import { createAdminApp } from './http/admin.ts'
import { createApi } from './http/api.ts'
import { createLeg } from './http/leg.ts'
import { RELAY_LIMITS, type RelayLimits } from './http/limits.ts'
import { createMetrics } from './http/metrics.ts'
import { type Relay, type RelayPorts, createRelay } from './http/relay.ts'
import { createRelayApp, createRelayServer, listen } from './http/server.ts'
import { type Logger, describeError } from './log.ts'
import { openParties } from './party/registry.ts'
import { type Content, openContent } from './routes.ts'
import { openRelayKey } from './signature/key-file.ts'
import { type MessageSigner, createMessageSigner } from './signature/sign.ts'
import { linkPseudonym } from './token/link.ts'
import { type RunCommand, runCommand } from '../workers/clock.ts'
import { generateKeyRing, openKeyRing } from './token/ring-file.ts'
import type { KeyRing } from './token/ring.ts'

/** What tests and the command line set. */
export interface GatewayOptions {
  readonly log: Logger
  /** Collects what is wrong with policies and kinds. */
  readonly report: Report
  readonly limits?: Partial<RelayLimits>
  readonly clock?: Clock
  /** Asks the machine's time service. */
  readonly run?: RunCommand
}

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
  const keys = openKeys(config.data, clock)
  const signer = createMessageSigner(openRelayKey(join(config.data, 'keys', 'relay.pem')))
  const content = await openContent(config.policies, { clock, keys }, report)
  if (content === undefined) return undefined
  const evidence = await openEvidence(config, { clock, log, ask })
  const leg = createLeg(clock, limits)
  const ports = { clock, limits, parties, leg, signer, recorder: evidence.recorder }
  try {
    return await run(config, { ...ports, ...contentPorts(content, keys) }, { evidence, log })
  } catch (error) {
    await evidence.close()
    throw error
  }
}

async function run(
  config: Config,
  parts: Omit<RelayPorts, 'observe' | 'report'> & { readonly signer: MessageSigner },
  { evidence, log }: { readonly evidence: Evidence; readonly log: Logger },
): Promise<Gateway> {
  let draining = false
  const metrics = createMetrics({
    inFlight: () => relay.inFlight(),
    backlog: () => evidence.recorder.backlog(),
  })
  const relay: Relay = createRelay({
    ...parts,
    observe: (exchange, status, seconds) => {
      metrics.observe(exchange, status, seconds)
      const { rid, problem } = exchange
      if (problem !== undefined) log.info({ rid, status, problem: problem.slug }, 'refused')
    },
    report: (error, rid) => log.error({ rid, error: describeError(error) }, 'bug'),
  })
  const unready = () => [
    ...(draining ? ['shutting down'] : []),
    ...[evidence.recorder.failure()?.message].filter((message) => message !== undefined),
  ]
  const api = createApi({
    note: evidence.recorder.note,
    store: evidence.custody,
    secret: openAdminSecret(config.data),
    report: (error) => log.error({ error: describeError(error) }, 'bug'),
  })
  const app = createRelayApp(relay, [parts.signer.publicJwk])
  const relayServer = createRelayServer(app, relay, config.relay, parts.limits)
  const adminServer = createServer(createAdminApp(metrics, unready, api))
  const shut = async () => {
    draining = true
    await drain(relayServer, relay, parts.limits)
    parts.leg.close()
    await evidence.close()
    await stop(adminServer)
  }
  try {
    const relayUrl = await listen(relayServer, config.relay, 'relay.listen')
    const adminUrl = await listen(adminServer, config.admin, 'admin.listen')
    log.info({ relay: relayUrl, admin: adminUrl }, 'sealgate is ready')
    return { relayUrl, adminUrl, close: shut }
  } catch (error) {
    if (relayServer.listening) await stop(relayServer)
    throw error
  }
}

function contentPorts(
  { registry, guard }: Content,
  keys: KeyRing,
): Pick<RelayPorts, 'match' | 'guard' | 'pseudonym'> {
  return {
    match: (from, to, method, path) => {
      const match = registry.match(from, to, method, path)?.enforced
      return match === undefined ? undefined : { policy: match.policy, compiled: match.route }
    },
    guard: createInspect(guard),
    pseudonym: (name, value) => linkPseudonym(keys, name, value),
  }
}

/** What each direction allows is worked out once per loaded policy. */
function createInspect(guard: Guard): RelayPorts['guard'] {
  const known = new WeakMap<object, Allowed>()
  return (policy, direction, message) => {
    const rules = policy[direction]
    const allowed = known.get(rules) ?? allowedBy(rules)
    known.set(rules, allowed)
    guard.inspect({ ...message, allowed })
  }
}

/** A fresh installation makes its keys; one that has evidence must not lose them unnoticed. */
function openKeys(data: string, clock: Clock): KeyRing {
  const folder = join(data, 'keys')
  const fresh = !existsSync(join(data, 'journal')) && !existsSync(join(folder, 'tokens.json'))
  return fresh
    ? generateKeyRing(folder, { clock, random: (bytes) => randomBytes(bytes) })
    : openKeyRing(folder)
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

/** The way of a request whose body is too long for memory: relayed while it comes, or held back in a file. @module */
import type { ClientRequest } from 'node:http'
import { Problem } from '../../base/problem.ts'
import type { Recorder } from '../../evidence/record.ts'
import type { Exchange, Feed, Inbound } from '../exchange.ts'
import { passDigest } from '../signature/digest.ts'
import { createPassage, type Passage } from '../stream/passage.ts'
import type { SpoolFolder } from '../stream/spool.ts'
import type { Transfers } from '../stream/transfers.ts'
import { composeRequest, composeTrailer, type Envelope } from './compose.ts'
import { checkConsent } from './consent.ts'
import { custodyOf, longIntentOf, routeName } from './facts.ts'
import type { Leg } from './leg.ts'
import { dispatch } from './legs.ts'
import type { RelayLimits } from './limits.ts'
import { frameOf, twinOf, wayOf } from './long.ts'
import { pullBody, push } from './pull.ts'
import { codingOf, envelopeOf, linksOf, type StagePorts, signerFor } from './stages.ts'

/** What long bodies need of the rest of the gateway. */
export interface LongPorts extends StagePorts {
  readonly limits: RelayLimits
  readonly recorder: Recorder
  readonly leg: Leg
  readonly spools: SpoolFolder
  readonly transfers: Transfers
  /** Why nothing may leave any more, while a body is under way. */
  readonly hindrance: () => Problem | undefined
}

/** A long request that is about to leave. */
interface Departure {
  readonly passage: Passage
  /** Stops it once the recipient has answered: it is not read on, nor written. */
  readonly early: AbortController
  readonly envelope: Omit<Envelope, 'long'>
  readonly output: AsyncGenerator<Buffer>
}

const GONE = {
  slug: 'recipient-failed',
  stalled: 'recipient-timeout',
  detail: 'the connection broke before the answer',
} as const
const EARLY = new Problem('recipient-failed', 'it answered before it had the whole body')
const BROKEN = {
  slug: 'body-malformed',
  detail: 'the body broke off or is framed wrongly',
} as const
/** Methods whose bodies node frames by itself when their length is not known. */
export const LONG_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])
const NOTHING = Buffer.alloc(0)

/**
 * Relays a long request. Nothing has left while its first part is not rewritten and seen by the guard.
 *
 * @throws {Problem} `body-too-large` where only short bodies are taken; and as short ones do.
 */
export async function relayLong(ports: LongPorts, exchange: Exchange): Promise<Inbound> {
  const { head, route, long, rid, caller, recipient, method } = exchange
  if (!head || !route || !long || !caller || !recipient) throw new Problem('internal', '')
  const { policy } = route
  const { BODY_BYTES_MAX, STREAM_BYTES_MAX, CODING_RATIO_MAX, STREAM_IDLE_TIMEOUT_MS } =
    ports.limits
  const way = wayOf(ports, route, 'request', head, long)
  const { contentType } = way
  const twin = twinOf(ports, exchange, 'request', head, long)
  if (twin !== undefined) exchange.twin = twin
  if (!LONG_METHODS.has(method)) {
    throw new Problem('body-too-large', `expected at most ${BODY_BYTES_MAX} bytes with method ${method}: send more with POST, PUT or PATCH`) // prettier-ignore
  }
  const coding = codingOf(head)
  const frame = await frameOf(ports, exchange, way)
  exchange.frame = frame
  const passage = createPassage({
    ...way,
    twin,
    decode: coding,
    encode: coding,
    ...ports.recorder.body(rid, 'request', custodyOf(exchange)),
    limits: { bytesMax: STREAM_BYTES_MAX, ratioMax: CODING_RATIO_MAX },
  })
  exchange.passage = passage
  // prettier-ignore
  const done = ports.transfers.begin(
    { record: rid, direction: 'request', caller: caller.party.id, recipient: recipient.id, route: routeName(policy), total: long.length },
    passage.progress,
  )
  const early = new AbortController()
  const source = pullBody(long, STREAM_IDLE_TIMEOUT_MS, BROKEN, early.signal)
  const digest = head.get('content-digest')
  const output = passage.run(digest === undefined ? source : passDigest(digest, source))
  const parts = envelopeOf(ports, exchange, frame)
  const departure = {
    passage,
    early,
    output,
    envelope: { ...parts, contentType, coding, body: NOTHING },
  }
  const isHeldBack = policy.request.buffered || policy.legal.consent !== undefined
  try {
    return await (isHeldBack ? holdBack : passOn)(ports, exchange, departure)
  } finally {
    done()
  }
}

/** Sends it once all of it has passed. */
async function holdBack(ports: LongPorts, exchange: Exchange, departure: Departure) {
  const { passage, envelope, output, early } = departure
  const { policy } = exchange.route ?? {}
  const spool = await ports.spools.open()
  try {
    for await (const chunk of output) await spool.write(chunk)
    if (policy?.legal.consent !== undefined) {
      const nowMs = Number(ports.clock.wallUs() / 1000n)
      checkConsent(policy, passage.captured().get('legal.consent'), nowMs)
    }
    const digest = passage.digest()
    const feed = startFeed(ports, spool.read(), early, () => ({}))
    exchange.outbound = composeRequest(signerFor(ports, exchange), {
      ...envelope,
      long: { length: spool.length(), digest, feed },
    })
    await ports.recorder.intend(longIntentOf(exchange, linksOf(ports, passage.captured()), passage))
    exchange.intended = true
    return await deliver(ports, exchange, feed, spool.length())
  } finally {
    await spool.close()
  }
}

/** Sends each part as soon as it has passed. */
async function passOn(ports: LongPorts, exchange: Exchange, departure: Departure) {
  const { passage, envelope, output, early } = departure
  const first = await output.next()
  const trailer = () => composeTrailer(signerFor(ports, exchange), envelope, passage.digest())
  const feed = startFeed(ports, prepend(first, output), early, trailer)
  exchange.outbound = composeRequest(signerFor(ports, exchange), { ...envelope, long: { feed } })
  await ports.recorder.intend(longIntentOf(exchange, {}))
  exchange.intended = true
  try {
    return await deliver(ports, exchange, feed)
  } finally {
    exchange.foundLinks = linksOf(ports, passage.captured())
  }
}

/**
 * Sends the request and waits for the answer. One that came early is passed on if it is an error; a
 * success would have the caller believe that all of it arrived.
 *
 * @param length of the body, if it is known: who has all of it may answer.
 * @throws {Problem} also what stopped the body on this side.
 */
async function deliver(
  ports: LongPorts,
  exchange: Exchange,
  feed: RunningFeed,
  length?: number,
): Promise<Inbound> {
  try {
    const inbound = await dispatch(ports, exchange)
    await feed.ended()
    if (isOurs(feed.stopped())) throw feed.stopped()
    if (feed.stopped() === undefined || feed.sent() === length) return inbound
    exchange.cutOff = true
    if (inbound.status >= 300) return inbound
    exchange.inbound = inbound
    throw new Problem(EARLY.slug, `it answered ${inbound.status} before it had the whole body`)
  } catch (error) {
    await feed.ended()
    exchange.cutOff = feed.stopped() !== undefined && feed.sent() !== length
    throw isOurs(feed.stopped()) ? feed.stopped() : error
  }
}

/** Whether the stop came from this side, and not from the recipient's. */
function isOurs(stopped: unknown): boolean {
  return stopped !== undefined && !(stopped instanceof Problem && stopped.slug === GONE.slug)
}

/** A body that is being written, or was. */
interface RunningFeed extends Feed {
  /** Resolves when nothing more is written. */
  ended(): Promise<void>
  /** What stopped it, if it did not end by itself. */
  readonly stopped: () => unknown
  /** Bytes that were written. */
  readonly sent: () => number
}

/** Makes ready what writes a body to the recipient, and ends it; or breaks the connection, so that nobody takes it for whole. */
function startFeed(
  { limits, hindrance }: LongPorts,
  output: AsyncGenerator<Buffer>,
  early: AbortController,
  trailer: () => Readonly<Record<string, string>>,
): RunningFeed {
  let stopped: unknown
  let sent = 0
  let running: Promise<void> | undefined
  const write = async (request: ClientRequest): Promise<void> => {
    try {
      for await (const chunk of output) {
        const problem = hindrance()
        if (problem !== undefined) throw problem
        sent += chunk.length
        await push(request, chunk, limits.STREAM_IDLE_TIMEOUT_MS, GONE, early.signal)
      }
      if (request.destroyed) throw new Problem(GONE.slug, GONE.detail)
      request.addTrailers(trailer())
      request.end()
    } catch (error) {
      stopped = error
      // Who has answered early may be answering still.
      if (error !== EARLY) request.destroy(error instanceof Error ? error : new Error('stopped'))
    }
  }
  return {
    run: (request) => (running = write(request)),
    stop: () => early.abort(EARLY),
    ended: async () => running,
    stopped: () => stopped,
    sent: () => sent,
  }
}

async function* prepend(
  first: IteratorResult<Buffer, unknown>,
  rest: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
  if (first.done === true) return
  yield first.value
  yield* rest
}

/** The way of an answer that is too long for memory: passed on while it comes, or held back in a file. @module */
import { Problem } from '../../base/problem.ts'
import type { Exchange, Inbound } from '../exchange.ts'
import { createPassage, type Passage } from '../stream/passage.ts'
import { answerFields, endAnswer } from './answer.ts'
import { custodyOf, routeName } from './facts.ts'
import { answerFrameOf, twinOf, wayOf } from './long.ts'
import type { LongPorts } from './long-request.ts'
import { pullBody, push } from './pull.ts'
import { answerCoding, codingOf, recipientsFault, refuseRedirect } from './stages.ts'

const GONE = {
  slug: 'caller-gone',
  stalled: 'caller-gone',
  detail: 'the connection broke in the middle of the answer',
} as const
const BROKEN = { slug: 'recipient-failed', detail: 'the answer broke off' } as const

/** A long answer that is about to leave; `fields` without what frames it. */
interface Arrival {
  readonly passage: Passage
  readonly output: AsyncGenerator<Buffer>
  readonly fields: readonly string[]
  /** Makes the outcome durable. @throws {Problem} `outcome-unrecorded` */
  readonly conclude: () => Promise<void>
  /** Settles when the caller has stopped sending a body that nobody wants any more; see sendAnswer. */
  readonly drained: Promise<unknown> | undefined
}

/**
 * Passes a long answer on. The outcome is durable before its last byte leaves.
 *
 * @throws {Problem} when it is stopped; if its head has left, the caller's connection must be broken.
 */
export async function answerLong(
  ports: LongPorts,
  exchange: Exchange,
  inbound: Inbound,
  { conclude, drained }: Pick<Arrival, 'conclude' | 'drained'>,
): Promise<void> {
  const { route, caller, recipient, rid } = exchange
  const { head, long, status } = inbound
  if (!route || !caller || !recipient || !long) throw new Problem('internal', '')
  const { STREAM_BYTES_MAX, CODING_RATIO_MAX, STREAM_IDLE_TIMEOUT_MS } = ports.limits
  let done = () => {}
  try {
    refuseRedirect(status)
    const way = wayOf(ports, route, 'response', head, long)
    const twin = twinOf(ports, exchange, 'response', head, long)
    if (twin !== undefined) exchange.answerTwin = twin
    const { headers, ...traces } = await answerFrameOf(ports, route, head, way)
    exchange.answerFrame = traces
    const encode = answerCoding(exchange, head)
    const passage = createPassage({
      ...way,
      twin,
      decode: codingOf(head),
      encode,
      ...ports.recorder.body(rid, 'response', custodyOf(exchange)),
      limits: { bytesMax: STREAM_BYTES_MAX, ratioMax: CODING_RATIO_MAX },
    })
    exchange.answerPassage = passage
    // prettier-ignore
    done = ports.transfers.begin(
      { record: rid, direction: 'response', caller: caller.party.id, recipient: recipient.id, route: routeName(route.policy), total: long.length },
      passage.progress,
    )
    const output = passage.run(pullBody(long, STREAM_IDLE_TIMEOUT_MS, BROKEN))
    const fields = answerFields({ ...way, headers, coding: encode }, exchange)
    if (drained !== undefined) fields.push('connection', 'close')
    const arrival = { passage, output, fields, conclude, drained }
    await (route.policy.response.buffered ? holdBack : passOn)(ports, exchange, status, arrival)
  } catch (error) {
    throw recipientsFault(error)
  } finally {
    done()
    long.rest?.stream.destroy()
  }
}

async function passOn(
  { limits, hindrance }: LongPorts,
  { request, response }: Exchange,
  status: number,
  { passage, output, fields, conclude, drained }: Arrival,
): Promise<void> {
  // RFC 9112 §7.1: only HTTP/1.1 has chunks, and without them a broken answer looks whole.
  if (request.httpVersion !== '1.1') {
    throw new Problem('recipient-failed', 'too long for a caller of HTTP/1.0')
  }
  const first = await output.next()
  response.writeHead(status, [...fields, 'trailer', 'content-digest'])
  // One part is held back until it is known not to be the last.
  let held = first.done === true ? undefined : first.value
  for await (const chunk of output) {
    const problem = hindrance()
    if (problem !== undefined) throw problem
    if (held !== undefined) await push(response, held, limits.STREAM_IDLE_TIMEOUT_MS, GONE)
    held = chunk
  }
  if (response.destroyed) throw new Problem(GONE.slug, GONE.detail)
  await conclude()
  response.addTrailers({ 'content-digest': passage.digest() })
  endAnswer(response, held, drained)
}

async function holdBack(
  ports: LongPorts,
  { response }: Exchange,
  status: number,
  { output, fields, conclude, drained }: Arrival,
): Promise<void> {
  const spool = await ports.spools.open()
  try {
    for await (const chunk of output) await spool.write(chunk)
    if (response.destroyed) throw new Problem(GONE.slug, GONE.detail)
    await conclude()
    response.writeHead(status, [...fields, 'content-length', String(spool.length())])
    for await (const chunk of spool.read()) {
      await push(response, chunk, ports.limits.STREAM_IDLE_TIMEOUT_MS, GONE)
    }
    endAnswer(response, undefined, drained)
  } finally {
    await spool.close()
  }
}

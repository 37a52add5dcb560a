/** The way of one exchange: the order of the stages, and what happens when one refuses. @module */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Problem } from '../../base/problem.ts'
import { newRid } from '../../evidence/random.ts'
import type { Outcome } from '../../evidence/record.ts'
import type { Exchange, Inbound } from '../exchange.ts'
import { admit, decode, identify, readRequest, receive } from './admit.ts'
import { sendAnswer, sendProblem, sendProblemRaw } from './answer.ts'
import { discardBody, watchRequest } from './body.ts'
import { intentOf, outcomeOf, refusalOf } from './facts.ts'
import { dispatch } from './legs.ts'
import { released } from './long.ts'
import { answerLong } from './long-answer.ts'
import { type LongPorts, relayLong } from './long-request.ts'
import { announce, askUpload, beginUpload } from './resumable.ts'
import { type Answer, prepareAnswer, prepareRequest, recipientsFault } from './stages.ts'
import type { PartPorts, Turn } from './upload-part.ts'
import { progressFields, UPLOADS } from './upload-state.ts'

/** What the relay needs of the rest of the gateway. */
export interface RelayPorts extends LongPorts, PartPorts {
  /** Told of every finished exchange, and of errors that are bugs. */
  readonly observe: (exchange: Exchange, status: number, seconds: number) => void
  readonly report: (error: unknown, rid: string) => void
}

/** The relay as the listener uses it. */
export interface Relay {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Refuses a connection whose request could not be read at all. */
  refuseRaw(socket: Socket, problem: Problem): Promise<void>
  /** Exchanges under way. */
  readonly inFlight: () => number
}

/** Builds the relay. */
export function createRelay(ports: RelayPorts): Relay {
  let inFlight = 0
  return {
    inFlight: () => inFlight,
    handle: async (request, response) => {
      watchRequest(request)
      const turn = { exchange: beginExchange(ports, request, response) }
      inFlight++
      try {
        if (inFlight > ports.limits.EXCHANGES_MAX)
          throw new Problem('overloaded', 'too many exchanges')
        if (await begin(ports, turn)) await relay(ports, turn.exchange)
      } catch (error) {
        await refuse(ports, turn.exchange, error)
      } finally {
        inFlight--
      }
    },
    refuseRaw: async (socket, problem) => {
      const receivedUs = ports.clock.wallUs()
      const rid = newRid(receivedUs)
      const known = { rid, receivedUs, answeredUs: receivedUs, claims: [] }
      const sealed = await seal(ports, rid, problem, () =>
        ports.recorder.refuse({ ...known, problem: problem.slug, status: problem.status }),
      )
      sendProblemRaw(socket, sealed, rid)
    },
  }
}

/** Who calls whom, under which policy. @returns whether there is something to relay now. */
async function begin(ports: RelayPorts, turn: Turn): Promise<boolean> {
  const { exchange } = turn
  const { recipient } = readRequest(ports, exchange)
  if (recipient === UPLOADS) return await askUpload(ports, turn)
  await identify(ports, exchange, recipient)
  if (announce(ports, exchange)) return false
  admit(ports, exchange)
  return await beginUpload(ports, turn)
}

async function relay(ports: RelayPorts, exchange: Exchange): Promise<void> {
  if (exchange.upload !== undefined) admit(ports, exchange) // Hours may lie between.
  await receive(ports, exchange)
  const came = exchange.long === undefined ? await relayShort(ports, exchange) : await relayLong(ports, exchange) // prettier-ignore
  exchange.inbound = came
  const inbound = await withoutCoding(ports, came)
  exchange.inbound = inbound
  if (inbound.long === undefined) {
    await answerCaller(ports, exchange, await prepareAnswer(ports, exchange, inbound))
  } else {
    const conclude = () => concludeAnswered(ports, exchange)
    await answerLong(ports, exchange, inbound, { conclude, drained: drain(ports, exchange) })
    finish(ports, exchange, inbound.status)
  }
}

async function relayShort(ports: RelayPorts, exchange: Exchange): Promise<Inbound> {
  const links = await prepareRequest(ports, exchange)
  await ports.recorder.intend(intentOf(exchange, links))
  exchange.intended = true // From here on the record is concluded, never refused.
  return await dispatch(ports, exchange)
}

async function withoutCoding(ports: RelayPorts, inbound: Inbound): Promise<Inbound> {
  const { head, body, status, receivedUs } = inbound
  if (inbound.long !== undefined || !head.has('content-encoding')) return inbound
  try {
    const plain = await decode(ports, head, body, 'recipient-failed')
    if (plain === undefined) return inbound
    if (plain !== 'long') return { ...inbound, plain }
    const long = { prefix: [body], rest: undefined, length: body.length }
    return { status, head, receivedUs, body: Buffer.alloc(0), long }
  } catch (error) {
    throw recipientsFault(error)
  }
}

async function answerCaller(ports: RelayPorts, exchange: Exchange, answer: Answer): Promise<void> {
  await concludeAnswered(ports, exchange)
  sendAnswer(exchange, answer, drain(ports, exchange))
  finish(ports, exchange, answer.status)
}

/** Reads on what is left of a long body that was answered early; undefined when nothing is. */
function drain(ports: RelayPorts, { long, request }: Exchange): Promise<boolean> | undefined {
  return long !== undefined && !request.complete ? discard(ports, request) : undefined
}

/** A caller that hung up gets nothing; what the recipient answered is evidence all the same. */
async function concludeAnswered(ports: RelayPorts, exchange: Exchange): Promise<void> {
  const { rid, response, inbound } = exchange
  const answeredUs = ports.clock.wallUs()
  const outcome = response.destroyed
    ? outcomeOf(exchange, 'failed', undefined, answeredUs)
    : outcomeOf(exchange, 'answered', inbound?.status, answeredUs)
  await conclude(ports, rid, outcome)
  await settleUpload(ports, exchange, outcome.result, inbound?.status)
}

async function discard({ limits }: RelayPorts, request: IncomingMessage): Promise<boolean> {
  return await discardBody(request, limits.DISCARD_BYTES_MAX, limits.REQUEST_TIMEOUT_MS)
}

/** Answers with a problem, and seals the refusal, or the end of what was begun. */
async function refuse(ports: RelayPorts, exchange: Exchange, error: unknown): Promise<void> {
  const { rid, request, response } = exchange
  if (!(error instanceof Problem)) ports.report(error, rid)
  let problem = error instanceof Problem ? error : new Problem('internal', '')
  exchange.problem = problem
  let result: Outcome['result'] = exchange.intended ? 'unknown' : 'refused'
  const answeredUs = ports.clock.wallUs()
  if (problem.slug === 'outcome-unrecorded') {
    // The journal has just failed; it would only fail again.
  } else if (exchange.intended) {
    const isGone = response.destroyed || (request.destroyed && !request.complete)
    const isOurs = exchange.inbound !== undefined || problem.status < 500
    result = isOurs && !isGone ? 'refused' : 'failed'
    const status = isGone || response.headersSent ? undefined : problem.status
    const outcome = outcomeOf(exchange, result, status, answeredUs)
    problem = await seal(ports, rid, problem, () => conclude(ports, rid, outcome))
    if (problem.slug === 'outcome-unrecorded') result = 'unknown'
  } else {
    const refusal = refusalOf(exchange, problem, answeredUs)
    problem = await seal(ports, rid, problem, () => ports.recorder.refuse(refusal))
  }
  problem = released(exchange, problem)
  exchange.problem = problem
  await settleUpload(ports, exchange, result, problem.status)
  const rest = discard(ports, request)
  sendProblem(exchange, problem, exchange.long === undefined ? await rest : rest)
  finish(ports, exchange, problem.status)
}

/** Runs a seal; when it fails, what the caller is told becomes that failure. */
async function seal(
  ports: RelayPorts,
  rid: string,
  problem: Problem,
  write: () => Promise<void>,
): Promise<Problem> {
  try {
    await write()
    return problem
  } catch (error) {
    if (error instanceof Problem) return error
    ports.report(error, rid)
    return new Problem('evidence-unavailable', 'the refusal could not be recorded', {
      cause: error,
    })
  }
}

/** @throws {Problem} `outcome-unrecorded`: the record will say `unknown`, so nothing is passed on. */
async function conclude(ports: RelayPorts, rid: string, outcome: Outcome): Promise<void> {
  try {
    await ports.recorder.conclude(rid, outcome)
  } catch (cause) {
    throw new Problem('outcome-unrecorded', 'the answer is withheld', { cause })
  }
}

/** What an upload learns of its relay: when it failed before a byte left, it can be completed again. */
async function settleUpload(
  { uploads }: RelayPorts,
  exchange: Exchange,
  outcome: Outcome['result'],
  status: number | undefined,
): Promise<void> {
  const { upload, problem, sentUs, inbound } = exchange
  if (upload === undefined) return
  if (problem?.retry === true && sentUs === undefined) {
    await uploads.reopen(upload)
    exchange.marks = progressFields(upload)
    return
  }
  uploads.end(upload, {
    outcome,
    ...(status === undefined ? {} : { status }),
    ...(inbound === undefined ? {} : { recipientStatus: inbound.status }),
    ...(problem === undefined ? {} : { problem: problem.slug }),
  })
}

function finish(ports: RelayPorts, exchange: Exchange, status: number): void {
  const sinceUs = exchange.upload?.completedUs ?? exchange.receivedUs
  const seconds = Number(ports.clock.wallUs() - sinceUs) / 1e6
  ports.observe(exchange, status, seconds)
}

function beginExchange(
  ports: RelayPorts,
  request: IncomingMessage,
  response: ServerResponse,
): Exchange {
  const receivedUs = ports.clock.wallUs()
  const { method = '' } = request
  return { rid: newRid(receivedUs), receivedUs, request, response, method }
}

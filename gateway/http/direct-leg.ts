/**
 * The relay leg for whole messages: kept connections of its own, one write, one answer. The general
 * leg (leg.ts) costs more than twice as much for the same message; docs/performance.md has figures.
 * @module
 */
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import type { Inbound, LongBody, Outbound } from '../exchange.ts'
import { AnswerFault, createAnswerReader, type ReadAnswer } from './answer-reader.ts'
import { createAnswerTail } from './answer-tail.ts'
import { type Head, readHead } from './headers.ts'
import type { Leg } from './leg.ts'
import type { RelayLimits } from './limits.ts'
import { type Call, type Link, openSocket, type Pool, remove, sweep, takeFree } from './links.ts'

/** RFC 9110 §9.2.1: repeating them asks for nothing new. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Bytes up to which head and body are joined into one write: copying is cheaper than a second one. */
const JOIN_BYTES_MAX = 65_536
const NOTHING = Buffer.alloc(0)
const NO_TEXT = /[^\t\x20-\x7e\x80-\xff]/

interface Ports {
  readonly clock: Clock
  readonly limits: RelayLimits
}

/** Opens a leg without connections. */
export function createDirectLeg(clock: Clock, limits: RelayLimits): Leg {
  const ports = { clock, limits }
  const pools = new Map<string, Pool>()
  const sweeper = setInterval(
    () => {
      for (const pool of pools.values()) sweep(pool, limits)
    },
    Math.ceil(limits.RECIPIENT_IDLE_TIMEOUT_MS / 4),
  ).unref()
  const poolOf = (base: URL): Pool => {
    const known = pools.get(base.origin)
    if (known !== undefined) return known
    const pool = { base, links: new Set<Link>(), free: [], waiting: [], session: undefined }
    pools.set(base.origin, pool)
    return pool
  }
  return {
    send: async (base, outbound, onSent, long = false) => {
      const pool = poolOf(base)
      const message = { ...outbound, path: base.pathname === '/' ? outbound.path : base.pathname + outbound.path } // prettier-ignore
      try {
        return await attempt(ports, pool, message, onSent, long)
      } catch (error) {
        // An idle connection that the recipient was just closing; only a safe request may go twice.
        if (!(error instanceof StaleConnection)) throw error
        if (!SAFE.has(outbound.method)) throw error.problem
        return await attempt(ports, pool, message, onSent, long)
      }
    },
    close: () => {
      clearInterval(sweeper)
      for (const { links } of pools.values()) for (const { socket } of links) socket.destroy()
    },
  }
}

/** A reused connection ended before the answer began. */
class StaleConnection extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

function attempt(
  { clock, limits }: Ports,
  pool: Pool,
  outbound: Outbound,
  onSent: () => void,
  long: boolean,
): Promise<Inbound> {
  return new Promise((resolve, reject) => {
    const call: Call = {
      outbound,
      reader: createAnswerReader(outbound.method, {
        headBytesMax: limits.HEADER_BYTES_MAX,
        bodyBytesMax: limits.BODY_BYTES_MAX,
        long,
      }),
      onSent,
      resolve,
      reject,
      deadline: setTimeout(() => fail(pool, call, late(call, limits)), limits.RECIPIENT_TIMEOUT_MS),
      link: undefined,
      settled: false,
      tail: undefined,
    }
    const free = takeFree(pool)
    if (free !== undefined) dispatch(pool, free, call)
    else if (pool.links.size < limits.RECIPIENT_SOCKETS_MAX)
      dispatch(pool, openLink(clock, limits, pool), call)
    else pool.waiting.push(call)
  })
}

function dispatch(pool: Pool, link: Link, call: Call): void {
  link.call = call
  call.link = link
  if (link.connected) write(pool, link, call)
}

function write(pool: Pool, { socket }: Link, call: Call): void {
  const { method, path, headers, body } = call.outbound
  let head = `${method} ${path} HTTP/1.1\r\n`
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`
  // A transform that put a line end or a sign beyond latin1 into a field would split the message.
  if (NO_TEXT.test(head.replaceAll('\r\n', ''))) {
    fail(pool, call, new Problem('internal', 'a field holds what HTTP cannot carry'))
    return
  }
  call.onSent()
  if (body.length > JOIN_BYTES_MAX) {
    socket.cork()
    socket.write(`${head}\r\n`, 'latin1')
    socket.write(body)
    socket.uncork()
    return
  }
  const bytes = Buffer.allocUnsafe(head.length + 2 + body.length)
  bytes.write(head, 0, 'latin1')
  bytes.writeUInt16BE(0x0d0a, head.length)
  bytes.set(body, head.length + 2)
  socket.write(bytes)
}

function openLink(clock: Clock, limits: RelayLimits, pool: Pool): Link {
  const socket = openSocket(pool)
  const link: Link = { socket, connected: false, used: 0, freedMs: 0, call: undefined }
  pool.links.add(link)
  socket.setNoDelay(true)
  socket.once(pool.base.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
    link.connected = true
    if (link.call !== undefined) write(pool, link, link.call)
  })
  socket.on('data', (chunk: Buffer) => {
    const { call } = link
    if (call === undefined)
      socket.destroy() // Nobody asked.
    else receive(clock, limits, pool, call, () => call.reader.push(chunk))
  })
  let cause: unknown
  socket.on('error', (error) => (cause = error))
  socket.on('end', () => {
    const { call } = link
    if (call !== undefined) receive(clock, limits, pool, call, () => call.reader.end())
    socket.destroy()
  })
  socket.on('close', () => {
    pool.links.delete(link)
    remove(pool.free, link)
    if (link.call !== undefined) fail(pool, link.call, brokenOff(link, link.call, cause))
    const next = pool.waiting.shift()
    if (next !== undefined) dispatch(pool, openLink(clock, limits, pool), next)
  })
  return link
}

function receive(
  clock: Clock,
  limits: RelayLimits,
  pool: Pool,
  call: Call,
  read: () => ReadAnswer | undefined,
): void {
  try {
    const answer = read()
    if (call.tail !== undefined) {
      call.tail.feed(call.reader.takeBody(), answer !== undefined)
      if (answer !== undefined) release(limits, pool, call, answer.keep)
      return
    }
    if (answer === undefined || call.settled) return
    const { status, rawHeaders, body } = answer
    const head = readHead(rawHeaders, 'recipient-failed')
    const inbound = { status, head, receivedUs: clock.wallUs() }
    settle(call)
    if (answer.whole) release(limits, pool, call, answer.keep)
    if (answer.whole && body.length <= limits.BODY_BYTES_MAX) call.resolve({ ...inbound, body })
    else call.resolve({ ...inbound, body: NOTHING, long: longBody(call, head, answer) })
  } catch (error) {
    fail(pool, call, error instanceof AnswerFault ? faultOf(call, error) : error)
  }
}

/** A long answer: its head goes ahead, its body follows as it is wanted. */
function longBody(call: Call, head: Head, { whole, body }: ReadAnswer): LongBody {
  if (whole) return { prefix: [body], rest: undefined, length: body.length }
  if (call.link === undefined) throw new Problem('internal', '')
  const tail = createAnswerTail(call.link.socket)
  call.tail = tail
  tail.feed(call.reader.takeBody(), false)
  const length = head.get('content-length')
  return { prefix: [], rest: tail.rest, length: length === undefined ? undefined : Number(length) }
}

/** Gives the connection to whoever waits, keeps it, or closes it. */
function release(limits: RelayLimits, pool: Pool, { link }: Call, keep: boolean): void {
  if (link === undefined) return
  link.call = undefined
  link.used++
  // An answer to a request that is still being written: the two ends disagree on where it ends.
  if (!keep || link.socket.writableLength > 0 || link.socket.destroyed) {
    link.socket.destroy()
    return
  }
  const next = pool.waiting.shift()
  if (next !== undefined) {
    dispatch(pool, link, next)
  } else if (pool.free.length < limits.RECIPIENT_SOCKETS_IDLE_MAX) {
    link.freedMs = performance.now()
    pool.free.push(link)
  } else {
    link.socket.destroy()
  }
}

function settle(call: Call): void {
  call.settled = true
  clearTimeout(call.deadline)
}

function fail(pool: Pool, call: Call, error: unknown): void {
  if (call.tail !== undefined) {
    call.tail.fail(error instanceof Error ? error : new Error('the answer broke off'))
    call.link?.socket.destroy()
  }
  if (call.settled) return
  settle(call)
  remove(pool.waiting, call)
  if (call.link !== undefined) {
    call.link.call = undefined
    call.link.socket.destroy()
  }
  call.reject(error)
}

function late({ link }: Call, { RECIPIENT_TIMEOUT_MS }: RelayLimits): Problem {
  const within = `within ${RECIPIENT_TIMEOUT_MS} ms`
  return link?.connected === true
    ? new Problem('recipient-timeout', `no complete answer ${within}`)
    : new Problem('recipient-unreachable', `no connection ${within}`)
}

function brokenOff(link: Link, { reader }: Call, cause: unknown): Error {
  const because = cause === undefined ? {} : { cause }
  if (!link.connected) return new Problem('recipient-unreachable', 'the connection failed', because)
  if (reader.hasHead()) return new Problem('recipient-failed', 'the answer broke off', because)
  const problem = new Problem('recipient-failed', 'the connection broke before the answer', because)
  return link.used > 0 && !reader.begun() ? new StaleConnection(problem) : problem
}

function faultOf({ reader }: Call, fault: AnswerFault): Problem {
  const cause = { cause: fault }
  if (fault.tooLarge) return new Problem('recipient-failed', 'the answer is too large', cause)
  const when = reader.hasHead() ? 'the answer broke off' : 'the connection broke before the answer'
  return new Problem('recipient-failed', `${when}: ${fault.message}`, cause)
}

/**
 * The relay leg: http-proxy-middleware sends one ready request and the whole answer comes back.
 * The middleware gets stand-ins for the caller's request and response, so that nothing of the
 * recipient's connection, a reset in mid-answer included, reaches the caller by itself. @module
 */
import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Stream } from 'node:stream'
import { createProxyMiddleware } from 'http-proxy-middleware'
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import type { Feed, Inbound, LongBody, Outbound } from '../exchange.ts'
import { readHead } from './headers.ts'
import type { RelayLimits } from './limits.ts'

/** Sends requests to recipients. */
export interface Leg {
  /**
   * @param onSent is told when the first byte is handed to an established connection.
   * @param long whether an answer beyond BODY_BYTES_MAX is wanted, in parts.
   * @throws {Problem} `recipient-unreachable`: nothing was received; `recipient-failed`,
   *   `recipient-timeout`: the recipient may have acted.
   */
  send(base: URL, outbound: Outbound, onSent: () => void, long?: boolean): Promise<Inbound>
  /** Closes idle connections. */
  close(): void
}

/** RFC 9110 §9.2.1: repeating them asks for nothing new. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Opens keep-alive agents for http and https recipients. */
export function createLeg(clock: Clock, limits: RelayLimits): Leg {
  const options = {
    keepAlive: true,
    scheduling: 'lifo', // The most recently used connection is the least likely to be closing.
    maxSockets: limits.RECIPIENT_SOCKETS_MAX,
    maxFreeSockets: limits.RECIPIENT_SOCKETS_IDLE_MAX,
  } as const
  const agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) }
  // A body that is written once only must not meet a kept connection that is just closing.
  const single = { ...options, keepAlive: false }
  const singles = { 'http:': new HttpAgent(single), 'https:': new HttpsAgent(single) }
  for (const agent of Object.values(agents)) {
    agent.on('free', (socket) => socket.setTimeout(limits.RECIPIENT_IDLE_TIMEOUT_MS))
  }
  const middleware = createProxyMiddleware<Call & IncomingMessage>({
    router: (call, _response, options) => {
      const pool = call.feed === undefined ? agents : singles
      options.agent = pool[call.base.protocol === 'https:' ? 'https:' : 'http:']
      return call.base
    },
    pathFilter: () => true,
    selfHandleResponse: true,
    followRedirects: false,
    ejectPlugins: true, // The default ones log URLs and answer the caller themselves.
    plugins: [
      (proxy) => {
        proxy.on('proxyReq', (request, call) => call.onSocket(request))
        proxy.on('proxyRes', (response, call) => call.onResponse(response))
        proxy.on('error', (error, call) => (call as Call).onError(error))
        proxy.on('econnreset', (error, call) => call.onError(error))
      },
    ],
  })

  // prettier-ignore
  function attempt(base: URL, outbound: Outbound, onSent: () => void, long: boolean): Promise<Inbound> {
    return new Promise((resolve, reject) => {
      const call = new Call(base, outbound, { clock, limits, onSent, long, resolve, reject })
      middleware(call as Call & IncomingMessage, call.sink as unknown as ServerResponse, (error) =>
        call.onError(error ?? new Error('the request was not dispatched')),
      ).catch((error: unknown) => call.onError(error))
    })
  }

  return {
    send: async (base, outbound, onSent, long = false) => {
      try {
        return await attempt(base, outbound, onSent, long)
      } catch (error) {
        // An idle connection that the recipient was just closing; only a safe request may go twice.
        if (!(error instanceof StaleConnection)) throw error
        if (!SAFE.has(outbound.method)) throw error.problem
        return await attempt(base, outbound, onSent, long)
      }
    },
    close: () => {
      for (const pool of [agents, singles]) {
        for (const agent of Object.values(pool)) agent.destroy()
      }
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

interface CallPorts {
  readonly clock: Clock
  readonly limits: RelayLimits
  readonly onSent: () => void
  readonly long: boolean
  readonly resolve: (inbound: Inbound) => void
  readonly reject: (error: unknown) => void
}

/** Stands in for the caller's response; only what the middleware looks at. */
class Sink extends Stream {
  headersSent = false
  finished = false
  writableFinished = false
  destroyed = false
  destroy(): void {
    this.destroyed = true
  }
}

/** One request to the recipient; stands in for the caller's request. */
class Call extends Stream {
  readonly base: URL
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly httpVersion = '1.1'
  readonly httpVersionMajor = 1
  readonly socket = { writable: true }
  readonly sink = new Sink()
  readonly feed: Outbound['feed']
  readonly #body: Buffer
  readonly #ports: CallPorts
  #deadline: NodeJS.Timeout
  #request: ClientRequest | undefined
  #connected = false
  #settled = false
  #isFeeding = false

  constructor(base: URL, outbound: Outbound, ports: CallPorts) {
    super()
    this.base = base
    this.method = outbound.method
    this.url = outbound.path
    this.headers = outbound.headers
    this.#body = outbound.body
    this.feed = outbound.feed
    this.#ports = ports
    this.#deadline = this.#startDeadline()
  }

  /** The middleware pipes the request's body; ours is one buffer, ready since the guard saw it, or long. */
  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    if (this.feed !== undefined) {
      void this.#feed(this.feed, destination as NodeJS.WritableStream as ClientRequest)
    } else if (this.#body.length === 0) destination.end()
    else destination.end(this.#body)
    return destination
  }

  /** The time limit holds until there is a connection, and again once the body is written. */
  async #feed(feed: Feed, request: ClientRequest): Promise<void> {
    this.#isFeeding = true
    await feed.run(request)
    this.#isFeeding = false
    if (!this.#settled) this.#deadline = this.#startDeadline()
  }

  #startDeadline(): NodeJS.Timeout {
    return setTimeout(() => this.#onDeadline(), this.#ports.limits.RECIPIENT_TIMEOUT_MS)
  }

  onSocket(request: ClientRequest): void {
    this.#request = request
    const connected = () => {
      this.#connected = true
      if (this.feed !== undefined) clearTimeout(this.#deadline)
      this.#ports.onSent()
    }
    if (request.reusedSocket) connected()
    else
      request.socket?.once(this.base.protocol === 'https:' ? 'secureConnect' : 'connect', connected)
    // A 101 or an aborted upgrade ends the request without any other event.
    request.once('close', () => this.onError(new Error('closed without an answer')))
  }

  onResponse(response: IncomingMessage): void {
    this.sink.finished = true // The middleware then leaves the answer to us.
    // RFC 9112 §9.3: whoever gets an error while sending stops.
    if (this.#isFeeding && (response.statusCode ?? 0) >= 400) this.feed?.stop()
    const chunks: Buffer[] = []
    let length = 0
    const onData = (chunk: Buffer) => {
      length += chunk.length
      chunks.push(chunk)
      if (length > this.#ports.limits.BODY_BYTES_MAX) {
        response.off('data', onData).pause()
        if (this.#ports.long) this.#onHead(response, [], 0, longBody(response, chunks))
        else this.#fail(new Problem('recipient-failed', 'the answer is too large'))
      }
    }
    response.on('data', onData)
    response.once('end', () => this.#onHead(response, chunks, length))
    response.once('error', (error) => this.#fail(broken(error)))
    response.once('close', () => {
      if (!response.complete) this.#fail(broken())
      // Whatever the recipient would still get of a long request belongs to nothing.
      if (this.feed !== undefined) this.#request?.destroy()
    })
  }

  // prettier-ignore
  #onHead(response: IncomingMessage, chunks: readonly Buffer[], length: number, long?: LongBody): void {
    try {
      if (long === undefined && !response.complete) throw broken()
      this.#settle({
        status: response.statusCode ?? 0,
        head: readHead(response.rawHeaders, 'recipient-failed'),
        body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length),
        ...(long === undefined ? {} : { long }),
        receivedUs: this.#ports.clock.wallUs(),
      })
    } catch (error) {
      this.#fail(error)
    }
  }

  onError(error: unknown): void {
    if (this.#settled) return
    const cause = { cause: error }
    if (!this.#connected) {
      this.#fail(new Problem('recipient-unreachable', 'the connection failed', cause))
      return
    }
    if (this.sink.finished) {
      this.#fail(broken(error))
      return
    }
    const problem = new Problem('recipient-failed', 'the connection broke before the answer', cause)
    const stale = this.#request?.reusedSocket === true
    this.#fail(stale && isReset(error) ? new StaleConnection(problem) : problem)
  }

  #onDeadline(): void {
    const within = `within ${this.#ports.limits.RECIPIENT_TIMEOUT_MS} ms`
    this.#fail(
      this.#connected
        ? new Problem('recipient-timeout', `no complete answer ${within}`)
        : new Problem('recipient-unreachable', `no connection ${within}`),
    )
  }

  #settle(inbound: Inbound): void {
    if (this.#settled) return
    this.#settled = true
    clearTimeout(this.#deadline)
    this.sink.writableFinished = true
    this.sink.emit('close')
    if (this.#isFeeding && inbound.long === undefined) this.feed?.stop()
    this.#ports.resolve(inbound)
  }

  #fail(error: unknown): void {
    if (this.#settled) return
    this.#settled = true
    clearTimeout(this.#deadline)
    this.#request?.destroy()
    this.sink.emit('close')
    this.#ports.reject(error)
  }
}

function longBody(rest: IncomingMessage, prefix: readonly Buffer[]): LongBody {
  const length = rest.headers['content-length']
  const body = { stream: rest, complete: () => rest.complete }
  return { prefix, rest: body, length: length === undefined ? undefined : Number(length) }
}

function broken(cause?: unknown): Problem {
  return new Problem(
    'recipient-failed',
    'the answer broke off',
    cause === undefined ? {} : { cause },
  )
}

function isReset(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'ECONNRESET' || code === 'EPIPE'
}

/** Connections to recipients: what is known of each, how one is opened, when an idle one goes. @module */
import { type Socket, connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Inbound, Outbound } from '../exchange.ts'
import type { AnswerReader } from './answer-reader.ts'
import type { AnswerTail } from './answer-tail.ts'
import type { RelayLimits } from './limits.ts'

/** One request under way. */
export interface Call {
  readonly outbound: Outbound
  readonly reader: AnswerReader
  readonly onSent: () => void
  readonly resolve: (inbound: Inbound) => void
  readonly reject: (error: unknown) => void
  readonly deadline: NodeJS.Timeout
  link: Link | undefined
  settled: boolean
  /** Where the body of a long answer goes. */
  tail: AnswerTail | undefined
}

/** One connection. */
export interface Link {
  readonly socket: Socket
  connected: boolean
  /** Requests that it carried before this one. */
  used: number
  freedMs: number
  call: Call | undefined
}

/** The connections to one recipient. */
export interface Pool {
  readonly base: URL
  readonly links: Set<Link>
  /** The most recently used stands last: it is the least likely to be closing. */
  readonly free: Link[]
  readonly waiting: Call[]
  /** TLS: lets a new connection skip most of the handshake. */
  session: Buffer | undefined
}

/** Begins to connect; TLS is verified against the machine's authorities. */
export function openSocket(pool: Pool): Socket {
  const { protocol, hostname, port } = pool.base
  const host = hostname.replace(/^\[|\]$/g, '')
  if (protocol !== 'https:') return connect({ host, port: Number(port || 80) })
  const { session } = pool
  const socket = connectTls({
    host,
    port: Number(port || 443),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ['http/1.1'],
    ...(session === undefined ? {} : { session }),
  })
  socket.on('session', (fresh) => (pool.session = fresh))
  return socket
}

/** The most recently used connection that stands: one that was closed leaves the list only a moment later. */
export function takeFree({ free }: Pool): Link | undefined {
  let link = free.pop()
  while (link !== undefined && !link.socket.writable) link = free.pop()
  return link
}

/** Closes what was idle for too long: a recipient may close it at any moment. */
export function sweep({ free }: Pool, limits: RelayLimits): void {
  const before = performance.now() - limits.RECIPIENT_IDLE_TIMEOUT_MS * 0.75
  for (const { socket, freedMs } of free) if (freedMs < before) socket.destroy()
}

/** Takes an item out of a list, when it is there. */
export function remove<Item>(list: Item[], item: Item): void {
  const index = list.indexOf(item)
  if (index !== -1) list.splice(index, 1)
}

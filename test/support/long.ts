/** Long bodies: a policy for rows, rows, a caller that sends as it goes, a recipient that takes as it goes. @module */
import { once } from 'node:events'
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What one long request looked like to its recipient. */
export interface Taken {
  readonly headers: IncomingMessage['headers']
  readonly trailers: IncomingMessage['trailers']
  readonly body: Buffer
  /** Whether it ended as it should. */
  readonly whole: boolean
}

/** A recipient of long bodies. */
export interface Taker {
  readonly url: string
  readonly taken: Taken[]
  /** Called with each request's head; unless it is replaced, all is read and `{}` answered. */
  take: (request: IncomingMessage, response: ServerResponse) => void
  /** Forgets all that it took, and takes as at first. */
  forget(): void
  close(): Promise<void>
}

/** Starts one. */
export async function startTaker(port = 0): Promise<Taker> {
  const taken: Taken[] = []
  const take: Taker['take'] = (incoming, response) => {
    void collect(incoming).then((one) => {
      taken.push(one)
      if (!one.whole) return
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end('{}')
    })
  }
  const taker: Taker = {
    url: '',
    taken,
    take,
    forget: () => {
      taken.length = 0
      taker.take = take
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const server: Server = createServer({ requestTimeout: 0 }, (incoming, response) =>
    taker.take(incoming, response),
  )
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return Object.assign(taker, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

/** Reads a body to its end, or to where it breaks off. */
export async function collect(incoming: IncomingMessage): Promise<Taken> {
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  incoming.on('error', () => undefined)
  // `once` of node:events would throw at a body that breaks off.
  await new Promise<void>((resolve) => incoming.on('close', () => resolve()))
  const { headers, trailers, complete: whole } = incoming
  return { headers, trailers, body: Buffer.concat(chunks), whole }
}

/** A policy for rows of NDJSON in both directions. @param more of `request`, and of `response`. */
export function rowsPolicy(more = '', moreBack = ''): string {
  return `policy: rows
version: 1
title: { zh: 明细, en: Rows }
from: sunrise-platform
to: harbour-bank
when: { method: POST, path: /rows }
purpose: credit-assessment
legal: { basis: separate-consent, pia: { id: PIA-1, date: 2026-03-02 } }
evidence: { custody: none, retain: 5y }
request:
  unnamed: drop
  ${more}
  fields:
    $[*].loan:   keep
    $[*].note:   keep
    $[*].mobile: { kind: mobile, tokenize: opaque }
response:
  unnamed: drop
  ${moreBack}
  fields:
    $[*].loan:   keep
    $[*].note:   keep
tests:
  - name: the mobile number is a token
    request: [ { loan: L-1, mobile: "13800138000" } ]
    relayed: [ { loan: L-1, mobile: { token: mobile } } ]
    never: [ "13800138000" ]
`
}

/** One row, with its line feed. */
export function row(number: number, note = 'ordinary'): string {
  return `{"loan":"L-${number}","name":"王小明","mobile":"13800138000","note":"${note}"}\n`
}

/** So many rows. */
export function rows(count: number, from = 0): string {
  return Array.from({ length: count }, (_, index) => row(from + index)).join('')
}

/** A long request under way. */
export interface Sending {
  readonly request: ClientRequest
  write(text: string | Buffer): Promise<void>
  end(): void
  /** The answer: `whole` says whether it ended as it should. */
  answer(): Promise<Taken & { readonly status: number }>
}

/** Starts a long request. */
export function startSending(
  url: string,
  headers: Readonly<Record<string, string>>,
  method = 'POST',
): Sending {
  const outgoing = request(url, {
    method,
    headers: { 'content-type': 'application/x-ndjson', ...headers },
  })
  outgoing.on('error', () => undefined)
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
  answered.catch(() => undefined)
  return {
    request: outgoing,
    write: async (text) => {
      if (outgoing.destroyed) return
      if (!outgoing.write(text)) await Promise.race([once(outgoing, 'drain'), sleep(2000)])
    },
    end: () => outgoing.end(),
    answer: async () => {
      const [response] = await answered
      return { ...(await collect(response)), status: response.statusCode ?? 0 }
    },
  }
}

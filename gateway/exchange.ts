/** The one noun that travels through the gateway: a request, its response, and what became known on the way. @module */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Problem } from '../base/problem.ts'
import type { EnvelopeFacts } from '../evidence/record.ts'
import type { Inner } from './envelope/stage.ts'
import type { Caller, Party } from './party/party.ts'
import type { Head } from './http/headers.ts'
import type { Target } from './http/target.ts'

import type { Route } from './route.ts'
import type { Rewritten } from './transform/transform.ts'

/** What the gateway sends on, ready for the wire. */
export interface Outbound {
  readonly method: string
  /** Path and query below the recipient's base URL. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** What the recipient answered, complete and within the limits. */
export interface Inbound {
  readonly status: number
  readonly head: Head
  readonly body: Buffer
  readonly receivedUs: bigint
}

/** The answer's body as the caller gets it, and what it is sealed in. */
export interface AnswerOut {
  readonly body: Buffer
  readonly envelope?: EnvelopeFacts
}

/**
 * One exchange. A stage reads what the earlier ones added and adds its own; nothing is taken away,
 * so that a refusal at any point can be sealed with all that is known.
 */
export interface Exchange {
  /** UUIDv7; the caller and the recipient see it as Evidence-Id. */
  readonly rid: string
  readonly receivedUs: bigint
  readonly request: IncomingMessage
  readonly response: ServerResponse
  head?: Head
  target?: Target
  caller?: Caller
  recipient?: Party
  route?: Route
  /** As it came. */
  body?: Buffer
  /** As the policy sees it: without its envelope. */
  inner?: Inner
  /** Headers, path and query included. */
  rewritten?: Rewritten
  /** From here on the recipient may have seen the request. */
  intended?: true
  outbound?: Outbound
  /** What the outbound body is sealed in. */
  sealed?: EnvelopeFacts
  /** When the first byte was handed to the recipient's connection. */
  sentUs?: bigint
  inbound?: Inbound
  answerInner?: Inner
  answer?: Rewritten
  answerOut?: AnswerOut
  problem?: Problem
}

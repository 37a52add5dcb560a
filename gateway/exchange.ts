/** The one noun that travels through the gateway: a request, its response, and what became known on the way. @module */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { Problem } from '../base/problem.ts'
import type { EnvelopeFacts } from '../evidence/record.ts'
import type { Inner } from './envelope/stage.ts'
import type { Caller, Party } from './party/party.ts'
import type { Head } from './http/headers.ts'
import type { Target } from './http/target.ts'

import type { Route } from './route.ts'
import type { Passage } from './stream/passage.ts'
import type { Twin } from './stream/twin.ts'
import type { Rewritten, Traces } from './transform/transform.ts'
import type { Upload } from './upload/upload.ts'

/** What the gateway sends on, ready for the wire. */
export interface Outbound {
  readonly method: string
  /** Path and query below the recipient's base URL. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The whole body; empty when `feed` writes it. */
  readonly body: Buffer
  /** What writes a body that is too long for memory. */
  readonly feed?: Feed
}

/** A long body on its way to a recipient. */
export interface Feed {
  /**
   * Writes and ends it, or destroys the request; never rejects. It has its own limits to waiting.
   */
  run(request: ClientRequest): Promise<void>
  /** The recipient has answered and wants no more: `run` ends at once, and leaves the request as it is. */
  stop(): void
}

/** What the recipient answered, within the limits. */
export interface Inbound {
  readonly status: number
  readonly head: Head
  /** As it came; empty when the answer is long. */
  readonly body: Buffer
  /** The body without its content coding, when it had one. */
  readonly plain?: Buffer
  readonly long?: LongBody
  readonly receivedUs: bigint
}

/** The answer's body as the caller gets it, and what it is sealed in. */
export interface AnswerOut {
  readonly body: Buffer
  readonly envelope?: EnvelopeFacts
}

/** The part of a body that has not arrived, paused until it is read. */
export interface BodyRest {
  readonly stream: Readable
  /** Whether it has ended as it should: a connection that ends says nothing. */
  readonly complete: () => boolean
}

/** A body that is too long for memory, as it comes or decoded. */
export interface LongBody {
  /** What has arrived of it; in memory, or in a file. */
  readonly prefix: Iterable<Buffer> | AsyncIterable<Buffer>
  /** Where the rest comes from; undefined when all has arrived. */
  readonly rest: BodyRest | undefined
  /** All of its bytes, when its sender said how many. */
  readonly length: number | undefined
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
  /** That of the request, or of the one that began the upload. */
  readonly method: string
  /** Where the body came from, when it came over several requests. */
  readonly upload?: Upload
  head?: Head
  target?: Target
  caller?: Caller
  recipient?: Party
  route?: Route
  /** As it came. */
  body?: Buffer
  /** As the policy sees it: without its envelope. */
  inner?: Inner
  /** The body without its content coding, when it had one. */
  plain?: Buffer
  /** In place of `body`. */
  long?: LongBody
  /** The way of a long body, and of a long answer; and what the rules did to all else. */
  passage?: Passage
  frame?: Traces
  answerPassage?: Passage
  answerFrame?: Traces
  /** The recipient has less than all of a long request: what it has counts for nothing. */
  cutOff?: boolean
  /** How the version that is only being watched decided long bodies. */
  twin?: Twin
  answerTwin?: Twin
  /** Links that were found in a long body: name → pseudonym. */
  foundLinks?: Readonly<Record<string, string>>
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
  /** Fields of whatever answers the request, besides its own; in pairs. */
  marks?: readonly string[]
}

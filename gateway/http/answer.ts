/** What a caller gets: the recipient's answer, or a problem document (RFC 9457). @module */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Problem, toProblemDetails } from '../../base/problem.ts'
import type { Exchange } from '../exchange.ts'
import type { Answer } from './stages.ts'

/** Fields besides the problem's own, by status. */
const EXTRA: Readonly<Record<number, readonly string[]>> = {
  401: ['www-authenticate', 'Bearer realm="sealgate"'], // RFC 9110 §11.6.1
  503: ['retry-after', '1'],
}

/** The fields of an answer, but for those that frame it; in pairs. */
export function answerFields(
  { headers, contentType, coding }: Pick<Answer, 'headers' | 'contentType' | 'coding'>,
  { rid, marks = [] }: Pick<Exchange, 'rid' | 'marks'>,
): string[] {
  const fields = ['evidence-id', rid, ...marks]
  for (const [name, value] of headers) fields.push(name, value)
  if (contentType !== '') fields.push('content-type', contentType)
  if (coding !== undefined) fields.push('content-encoding', coding)
  return fields
}

/**
 * Sends what the recipient answered, rewritten.
 *
 * @param drained settles when the caller has stopped sending a body that nobody wants any more: a
 *   connection that is closed before could take the answer with it.
 */
export function sendAnswer(exchange: Exchange, answer: Answer, drained?: Promise<unknown>): void {
  const { response } = exchange
  if (response.destroyed) return
  const { status, body } = answer
  const fields = answerFields(answer, exchange)
  // RFC 9110 §8.6: none with 204, and with 304 and HEAD it would speak of a body not sent.
  const bodiless = status === 204 || status === 304 || response.req.method === 'HEAD'
  if (!bodiless) fields.push('content-length', String(body.length))
  finish(response, { status, fields, body: bodiless ? undefined : body }, drained)
}

/**
 * Sends a problem document on an open exchange. An answer that has begun is broken off instead.
 *
 * @param reuse whether the connection stays open; or settles as `drained` above, and it does not.
 */
export function sendProblem(
  { response, rid, marks = [] }: Exchange,
  problem: Problem,
  reuse: boolean | Promise<unknown>,
): void {
  if (response.headersSent) response.destroy()
  if (response.destroyed) return
  const document = problemBody(problem, rid)
  const fields = [...problemFields(problem, rid, document.length), ...marks]
  const body = response.req.method === 'HEAD' ? undefined : document
  if (reuse === false) fields.push('connection', 'close')
  const drained = typeof reuse === 'boolean' ? undefined : reuse
  finish(response, { status: problem.status, fields, body }, drained)
}

interface Message {
  readonly status: number
  readonly fields: string[]
  readonly body: Buffer | undefined
}

function finish(
  response: ServerResponse,
  { status, fields, body }: Message,
  drained: Promise<unknown> | undefined,
): void {
  if (drained !== undefined) fields.push('connection', 'close')
  response.writeHead(status, fields)
  endAnswer(response, body, drained)
}

/** Writes the last of an answer, and ends it. @param drained as above; its head must say `connection: close`. */
export function endAnswer(
  response: ServerResponse,
  last: Buffer | undefined,
  drained: Promise<unknown> | undefined,
): void {
  if (drained === undefined) {
    response.end(last)
    return
  }
  response.write(last ?? '')
  drained.finally(() => response.end()).catch(() => response.destroy())
}

/** Sends a problem document on a connection whose request never became readable. */
export function sendProblemRaw(socket: Socket, problem: Problem, rid: string): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = problemBody(problem, rid)
  const fields = [...problemFields(problem, rid, body.length), 'connection', 'close']
  let head = `HTTP/1.1 ${problem.status} \r\n`
  for (let i = 0; i + 1 < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`
  socket.end(Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]))
}

function problemBody(problem: Problem, rid: string): Buffer {
  return Buffer.from(JSON.stringify(toProblemDetails(problem, `urn:uuid:${rid}`)), 'utf8')
}

function problemFields(problem: Problem, rid: string, length: number): string[] {
  return [
    'content-type',
    'application/problem+json',
    'content-length',
    String(length),
    'cache-control',
    'no-store',
    'evidence-id',
    rid,
    ...(EXTRA[problem.status] ?? []),
  ]
}

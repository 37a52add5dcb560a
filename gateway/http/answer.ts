/** What a caller gets: the recipient's answer, or a problem document (RFC 9457). @module */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Problem, toProblemDetails } from '../../base/problem.ts'
import type { Answer } from './stages.ts'

/** Fields besides the problem's own, by status. */
const EXTRA: Readonly<Record<number, readonly string[]>> = {
  401: ['www-authenticate', 'Bearer realm="sealgate"'], // RFC 9110 §11.6.1
  503: ['retry-after', '1'],
}

/** Sends what the recipient answered, rewritten. */
export function sendAnswer(response: ServerResponse, answer: Answer, rid: string): void {
  if (response.destroyed) return
  const { status, contentType, headers, body } = answer
  const fields = ['evidence-id', rid]
  for (const [name, value] of headers) fields.push(name, value)
  if (body.length > 0) fields.push('content-type', contentType)
  // RFC 9110 §8.6: none with 204, and with 304 and HEAD it would speak of a body not sent.
  const bodiless = status === 204 || status === 304 || response.req.method === 'HEAD'
  if (!bodiless) fields.push('content-length', String(body.length))
  response.writeHead(status, fields)
  response.end(bodiless ? undefined : body)
}

/** Sends a problem document on an open exchange; `reuse` tells whether the connection stays open. */
export function sendProblem(
  response: ServerResponse,
  problem: Problem,
  rid: string,
  reuse: boolean,
): void {
  if (response.headersSent || response.destroyed) return
  const body = problemBody(problem, rid)
  const fields = problemFields(problem, rid, body.length)
  if (!reuse) fields.push('connection', 'close')
  response.writeHead(problem.status, fields)
  response.end(response.req.method === 'HEAD' ? undefined : body)
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

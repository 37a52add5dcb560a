/** A caller of resumable uploads, over a line that breaks where a test says so. @module */
import { type IncomingHttpHeaders, request } from 'node:http'
import type { TestParty } from './party.ts'
import type { Answer } from './client.ts'

/** One request of an upload. */
export interface Part {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** So many bytes of the body are sent, then the connection is broken; a caller that names a version awaits its 104. */
  readonly breakAt?: number
  /** The body never ends. */
  readonly open?: boolean
  /** The body's length is not told ahead. */
  readonly chunked?: boolean
}

/** An interim response. */
export interface Informed {
  readonly statusCode: number
  readonly headers: IncomingHttpHeaders
}

/** What came of it; no answer when the connection broke. */
export interface Reply {
  readonly answer: Answer | undefined
  readonly informed: readonly Informed[]
}

/** Sends one request with fresh credentials. */
export type Send = (part: Part) => Promise<Reply>

/** A party that sends to a gateway. @param extra fields of every request. */
export function uploader(
  relayUrl: string,
  party: TestParty,
  recipient = 'harbour-bank',
  extra: Readonly<Record<string, string>> = {},
): Send {
  return async (part) => {
    const authorization = `Bearer ${await party.jwt(recipient)}`
    return sendPart(relayUrl, { ...part, headers: { authorization, ...extra, ...part.headers } })
  }
}

/** Sends one request. */
export function sendPart(
  relayUrl: string,
  { method, path, headers = {}, body, breakAt, open = false, chunked = false }: Part,
): Promise<Reply> {
  return new Promise((resolve) => {
    const framing = chunked
      ? { 'transfer-encoding': 'chunked' }
      : { 'content-length': String(body?.length) }
    const length = body === undefined ? {} : framing
    const informed: Informed[] = []
    const outgoing = request(relayUrl + path, { method, headers: { ...length, ...headers } })
    let settled = false
    const settle = (answer?: Answer) => {
      if (!settled) resolve({ answer, informed })
      settled = true
    }
    const cut = () => outgoing.write(body?.subarray(0, breakAt) ?? '', () => outgoing.destroy())
    outgoing.on('information', ({ statusCode, headers: fields }) => {
      informed.push({ statusCode, headers: fields })
      if (breakAt !== undefined && informed.length === 1) cut()
    })
    outgoing.on('error', () => settle())
    outgoing.on('close', () => settle())
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', () => settle())
      response.on('end', () => {
        const { statusCode: status = 0, headers: got, rawHeaders } = response
        settle({ status, headers: got, rawHeaders, body: Buffer.concat(chunks).toString() })
      })
    })
    if (open) outgoing.write(body ?? '')
    else if (breakAt === undefined) outgoing.end(body)
    else if ('upload-draft-interop-version' in headers) outgoing.flushHeaders()
    else cut()
  })
}

/** Begins an upload without content. @returns its path. */
export async function beginAt(
  send: Send,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { answer } = await send({
    method: 'POST',
    path,
    headers: { 'upload-complete': '?0', 'content-type': 'application/x-ndjson', ...headers },
  })
  const location = answer?.headers.location
  if (answer?.status !== 201 || location === undefined) {
    throw new Error(`no upload: ${answer?.status} ${answer?.body}`)
  }
  return location
}

/** The fields of a part. */
export function partFields(offset: number, complete: boolean): Record<string, string> {
  return {
    'content-type': 'application/partial-upload',
    'upload-offset': String(offset),
    'upload-complete': complete ? '?1' : '?0',
  }
}

/** Asks how far an upload is. */
export async function offsetOf(send: Send, path: string): Promise<number> {
  const { answer } = await send({ method: 'HEAD', path })
  return Number(answer?.headers['upload-offset'])
}

/** Sends what is missing of a body, as often as it takes. @param breaks where each attempt ends, in bytes. */
export async function resume(
  send: Send,
  path: string,
  body: Buffer,
  breaks: readonly number[] = [],
): Promise<Answer> {
  for (const breakAt of breaks) {
    const offset = await offsetOf(send, path)
    const rest = body.subarray(offset)
    await send({ method: 'PATCH', path, headers: partFields(offset, true), body: rest, breakAt: Math.min(breakAt, rest.length - 1) }) // prettier-ignore
  }
  const offset = await offsetOf(send, path)
  const headers = partFields(offset, true)
  const { answer } = await send({ method: 'PATCH', path, headers, body: body.subarray(offset) })
  if (answer === undefined) throw new Error('the connection broke')
  return answer
}

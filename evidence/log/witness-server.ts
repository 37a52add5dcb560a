/** The HTTP edge of a witness: `POST /add-checkpoint`, `GET /<SHA-256 of the origin, hex>/checkpoint`. @module */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { sha256 } from '../crypto.ts'
import { addCheckpoint, cosignedCheckpoint, type WitnessPorts } from './witness.ts'
import { CONNECTIONS_MAX, REQUEST_TIMEOUT_MS, REQUEST_BYTES_MAX } from './limits.ts'

/** Makes the server; the caller listens and closes. `alarm` hears of faults, which answer 500. */
export function createWitnessServer(
  ports: WitnessPorts,
  alarm: (message: string, error: unknown) => void,
): Server {
  const server = createServer((request, response) => {
    answer(ports, request, response).catch((error: unknown) => {
      alarm('witness request', error)
      if (!response.headersSent) send(response, 500, 'internal\n')
    })
  })
  server.requestTimeout = REQUEST_TIMEOUT_MS
  server.headersTimeout = REQUEST_TIMEOUT_MS
  server.maxConnections = CONNECTIONS_MAX
  return server
}

async function answer(
  ports: WitnessPorts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url ?? ''
  if (request.method === 'POST' && path === '/add-checkpoint') {
    const body = await readBody(request)
    if (body === undefined) return send(response, 413, 'too large\n')
    const result = await addCheckpoint(ports, body)
    const type = result.size === true ? 'text/x.tlog.size' : 'text/plain; charset=utf-8'
    return send(response, result.status, result.body, type)
  }
  const [, wanted] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path) ?? []
  const origins =
    request.method === 'GET' && wanted !== undefined ? await ports.state.origins() : []
  const origin = origins.find((each) => sha256(each).toString('hex') === wanted)
  const text = origin === undefined ? undefined : await cosignedCheckpoint(ports, origin)
  if (typeof text === 'string') return send(response, 200, text)
  return send(response, 404, 'not found\n')
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > REQUEST_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

/** A real recipient on loopback that keeps all it was sent, byte for byte. @module */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request as the recipient saw it. */
export interface Received {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly bytes: Buffer
}

/** A listening recipient. */
export interface Bank {
  readonly url: string
  readonly received: Received[]
  /** Everything received, as text to search in. */
  everything(): string
  answer: (request: Received, response: ServerResponse) => void
  /** Forgets all that it received, and answers `{}` again. */
  forget(): void
  close(): Promise<void>
}

/** Answers JSON with a status. */
export function json(response: ServerResponse, value: unknown, status = 200): void {
  const body = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}

/** Starts a recipient; it answers `{}` unless told otherwise. */
export async function startBank(): Promise<Bank> {
  const received: Received[] = []
  const answer: Bank['answer'] = (_request, response) => json(response, {})
  const bank: Bank = {
    url: '',
    received,
    everything: () =>
      received
        .map(({ method, url, rawHeaders, body }) => [method, url, ...rawHeaders, body].join('\n'))
        .join('\n'),
    answer,
    forget: () => {
      received.length = 0
      bank.answer = answer
    },
    close: () => close(server),
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', rawHeaders, headers } = request
      const bytes = Buffer.concat(chunks)
      const entry = { method, url, rawHeaders, headers, body: bytes.toString(), bytes }
      received.push(entry)
      bank.answer(entry, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(bank, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

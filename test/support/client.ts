/** A caller: real HTTP/1.1, with nothing added that a test does not see. @module */
import { type Agent, type IncomingHttpHeaders, request } from 'node:http'
import { type Socket, connect } from 'node:net'

/** A complete answer. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: string
}

/** What to send. */
export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly agent?: Agent
}

/** Sends one request and collects the answer. */
export function call(
  url: string,
  { method = 'POST', headers = {}, body, agent }: Call,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const bytes = body === undefined ? undefined : Buffer.from(body)
    const length = bytes === undefined ? {} : { 'content-length': String(bytes.length) }
    const [, host, port, path] = /^http:\/\/([^:]+):(\d+)(.*)$/.exec(url) ?? []
    const outgoing = request({
      host,
      port,
      path, // As written: a URL object would resolve dot segments.
      method,
      headers: { ...length, ...headers },
      ...(agent === undefined ? {} : { agent }),
    })
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, headers: got, rawHeaders } = response
        resolve({ status, headers: got, rawHeaders, body: Buffer.concat(chunks).toString() })
      })
    })
    outgoing.end(bytes)
  })
}

/** Writes bytes on a fresh connection and reads until the other side closes or `ms` have passed. */
export function exchangeRaw(url: string, bytes: string, ms = 1000): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    let text = ''
    const socket: Socket = connect(Number(port), hostname, () => socket.write(bytes, 'latin1'))
    const timer = setTimeout(() => socket.destroy(), ms)
    socket.on('data', (chunk) => (text += chunk.toString('latin1')))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(text)
    })
  })
}

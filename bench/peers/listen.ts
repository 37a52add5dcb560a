/** How a peer tells the benchmark where it listens, and answers it. @module */
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Listens on a free port of loopback and prints `ready <port>`. */
export function listenAndSay(server: Server): void {
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`ready ${(server.address() as AddressInfo).port}\n`)
  })
}

/** Answers with JSON of a known length. */
export function answerJson(response: ServerResponse, body: Buffer): void {
  response.writeHead(200, ['content-type', 'application/json', 'content-length', `${body.length}`])
  response.end(body)
}

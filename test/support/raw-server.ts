/** A recipient made of a bare socket: it can misbehave in ways that node:http would not let it. @module */
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'

/** What the server does once a whole request head has arrived. */
export type Behaviour = (socket: Socket, request: string, count: number) => void

/** A listening bare server on loopback. */
export interface RawServer {
  readonly url: URL
  /** Everything received, latin1. */
  readonly received: () => string
  /** Connections accepted so far. */
  readonly connections: () => number
  close(): Promise<void>
}

/** Starts a server that calls `behave` for each request; bodies must have a content-length. */
export async function startRawServer(behave: Behaviour): Promise<RawServer> {
  const sockets = new Set<Socket>()
  let received = ''
  let connections = 0
  let count = 0
  const server: Server = createServer((socket) => {
    connections++
    sockets.add(socket)
    let pending = ''
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      received += text
      pending += text
      for (;;) {
        const end = requestEnd(pending)
        if (end === -1) return
        behave(socket, pending.slice(0, end), ++count)
        pending = pending.slice(end)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    received: () => received,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

function requestEnd(text: string): number {
  const head = text.indexOf('\r\n\r\n')
  if (head === -1) return -1
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1] ?? 0)
  const end = head + 4 + length
  return text.length < end ? -1 : end
}

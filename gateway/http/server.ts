/** The relay's listener: express mounts, node's parser stays strict, every refusal has an Evidence-Id. @module */
import { readFileSync } from 'node:fs'
import { type IncomingMessage, type Server, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import express from 'express'
import { Problem } from '../../base/problem.ts'
import type { Listener } from '../config.ts'
import { ConfigFault } from '../fault.ts'
import type { RelayLimits } from './limits.ts'
import { problemPage } from './pages.ts'
import type { Relay } from './relay.ts'

/** The express application in front of the relay. What it takes itself is no party id (config-parties.ts). */
export function createRelayApp(
  relay: Relay,
  keys: readonly object[],
  revocationLists: () => Promise<string>,
  addDeposits: (app: express.Express) => void,
): express.Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use('/problems', (request, response) => {
    const page = problemPage(request.url.slice(1))
    response.status(page === undefined ? 404 : 200).type('html')
    response.send(page ?? problemPage(''))
  })
  // Recipients verify the gateway's signatures with these.
  app.use('/.well-known/jwks.json', (_request, response) => {
    response.json({ keys })
  })
  // Verifiers learn from these which seal certificates were revoked, and when.
  app.use('/.well-known/revocation-lists.pem', async (_request, response) => {
    response.type('application/x-pem-file').send(await revocationLists())
  })
  addDeposits(app)
  app.use((request, response) => relay.handle(request, response))
  return app
}

/** A caller's connection, and the request on it that has no answer yet; emptied like `Slot` in evidence/intake.ts. */
interface Line {
  current: IncomingMessage | undefined
}

/** Makes the server; it does not listen yet. @throws {ConfigFault} for unreadable TLS files. */
export function createRelayServer(
  app: express.Express,
  relay: Relay,
  listener: Listener,
  limits: RelayLimits,
): Server {
  const options = {
    maxHeaderSize: limits.HEADER_BYTES_MAX,
    headersTimeout: limits.HEAD_TIMEOUT_MS,
    requestTimeout: 0, // Bodies have their own limits (body.ts, pull.ts): a long one may take its time.
    keepAliveTimeout: limits.KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: Math.min(limits.HEAD_TIMEOUT_MS, 5_000),
    requireHostHeader: false, // Checked in checkRequestHead, where the refusal gets its Evidence-Id.
    insecureHTTPParser: false,
    noDelay: true,
  }
  const { tls } = listener
  const server =
    tls === undefined
      ? createServer(options, app)
      : createTlsServer({ ...options, ...readTls(tls), minVersion: 'TLSv1.2' }, app)
  server.maxHeadersCount = 0 // The default drops what exceeds it; bytes are bounded above.
  server.on('checkContinue', app)
  server.on('checkExpectation', app)
  const lines = new WeakMap<Socket, Line>()
  const lineOf = (socket: Socket): Line => {
    const known = lines.get(socket)
    if (known !== undefined) return known
    const line = { current: undefined }
    lines.set(socket, line)
    return line
  }
  server.prependListener('request', (request, response) => {
    const line = lineOf(request.socket)
    line.current = request
    response.once('close', () => {
      if (line.current === request) line.current = undefined
    })
  })
  server.on('connect', (_request, socket) => {
    const problem = new Problem('request-malformed', 'method CONNECT is not relayed')
    void relay.refuseRaw(socket as Socket, problem)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const plain = socket as Socket
    const request = lines.get(plain)?.current
    // Nothing was asked; or the answer to a whole request would be cut in two.
    if (plain.bytesRead === 0 || request?.complete === true || error.code === 'ECONNRESET') {
      plain.destroy()
    } else if (request !== undefined) {
      request.emit('error', error) // Its body is framed wrongly: the exchange refuses it.
    } else {
      const problem = new Problem('request-malformed', explain(error), { cause: error })
      void relay.refuseRaw(plain, problem)
    }
  })
  return server
}

/** Says what the parser disliked; its own text may quote the request. */
function explain({ code = '' }: NodeJS.ErrnoException): string {
  if (code === 'HPE_HEADER_OVERFLOW') return 'the head is too large'
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'the request did not arrive in time'
  return /^HPE_[A-Z_]+$/.test(code) ? `the message is not valid HTTP/1.1 (${code})` : 'not HTTP/1.1'
}

function readTls(tls: NonNullable<Listener['tls']>) {
  return {
    cert: readFile(tls.cert),
    key: readFile(tls.key),
    // Other callers use JWTs, so a missing certificate is no error here; see peerCertificate.
    ...(tls.clientCa === undefined
      ? {}
      : { ca: readFile(tls.clientCa), requestCert: true, rejectUnauthorized: false }),
  }
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new ConfigFault(file, 'the file cannot be read; correct `relay.tls`', { cause })
  }
}

/**
 * Listens. @returns the URL, with the port that the system chose when the configured one is 0.
 * @throws {ConfigFault} when the address cannot be bound, saying why.
 */
export function listen(server: Server, listener: Listener, name: string): Promise<string> {
  const { host, port, tls, at } = listener
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE'
          ? `port ${port} is in use; stop the other program or change \`listen\``
          : `cannot listen on ${host}:${port} (${cause.code}); use an address of this machine`
      const place = at === undefined ? name : `${at.file}:${at.line}:${at.column}`
      reject(new ConfigFault(place, why, { cause }))
    })
    server.listen(port, host, () => {
      const address = server.address() as AddressInfo
      const shown = host.includes(':') ? `[${host}]` : host
      resolve(`${tls === undefined ? 'http' : 'https'}://${shown}:${address.port}`)
    })
  })
}

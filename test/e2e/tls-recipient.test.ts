import { expect } from 'chai'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { describeForeign } from '../foreign/tool.ts'
import { call } from '../support/client.ts'
import { makeCertificates } from '../support/certificates.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { rows, rowsPolicy } from '../support/long.ts'
import { type GatewayProcess, spawnGateway } from '../support/process.ts'

const LONG_ROWS = 30_000

describeForeign('TLS towards a recipient', ['openssl', 'version'], () => {
  let installation: Installation
  let gateway: GatewayProcess
  let server: Server
  let port = 0
  let handshakes = 0
  let resumed = 0
  const got: number[] = []

  async function serve(name: string): Promise<void> {
    const read = (end: string) => readFileSync(join(installation.folder, `${name}.${end}`))
    server = createServer({ cert: read('crt'), key: read('key') }, (request, response) => {
      let bytes = 0
      request.on('data', (chunk: Buffer) => (bytes += chunk.length))
      request.once('end', () => {
        got.push(bytes)
        response.writeHead(200, ['content-type', 'application/x-ndjson', 'content-length', '0'])
        response.end()
      })
    })
    server.on('secureConnection', (socket: TLSSocket) => {
      handshakes++
      if (socket.isSessionReused()) resumed++
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  }
  const stopServing = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })

  before(async () => {
    installation = await createInstallation('https://127.0.0.1:1')
    const { folder, configFile } = installation
    makeCertificates(folder)
    await serve('server')
    const text = readFileSync(configFile, 'utf8')
    writeFileSync(configFile, text.replace('https://127.0.0.1:1,', `https://127.0.0.1:${port},`))
    installation.addPolicy('rows.yaml', rowsPolicy())
    gateway = await spawnGateway(configFile, { NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt') })
  })
  after(async () => {
    await gateway.kill('SIGTERM')
    await stopServing()
    installation.remove()
  })
  beforeEach(() => {
    got.length = 0
    handshakes = resumed = 0
  })

  async function send(count: number) {
    const authorization = `Bearer ${await installation.platform.jwt('harbour-bank')}`
    const headers = { authorization, 'content-type': 'application/x-ndjson' }
    return await call(`${gateway.relayUrl}/harbour-bank/rows`, { headers, body: rows(count) })
  }

  it('relays short bodies over one connection', async () => {
    for (const count of [1, 2, 3]) expect((await send(count)).status).to.equal(200)
    expect(got).to.have.length(3)
    expect(handshakes).to.equal(1)
  })

  it('relays a body that is sent as it comes', async () => {
    const { status, body } = await send(LONG_ROWS)
    expect(status, body).to.equal(200)
    expect(got[0]).to.be.greaterThan(1_048_576)
  })

  it('resumes the session on a new connection', async () => {
    await send(1)
    server.closeAllConnections()
    const answers = await Promise.all([send(1), send(1)])
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200])
    expect(resumed).to.be.greaterThan(0)
  })

  it('sends nothing to a recipient whose certificate is for another name', async () => {
    await stopServing()
    await serve('elsewhere')
    for (const count of [1, LONG_ROWS]) {
      const { status, body } = await send(count)
      expect(status).to.equal(502)
      expect(body).to.include('/problems/recipient-unreachable')
    }
    expect(got).to.deep.equal([])
  })
})

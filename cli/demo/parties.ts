/** The demo's two parties: a lending platform and a bank, both real HTTP servers and clients. @module */
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'

/** What a party's server received, as it came over the wire. */
export interface Received {
  readonly path: string
  readonly body: string
}

/** A party that listens on loopback, remembers what it received, and answers. */
export interface Party {
  readonly id: string
  readonly url: string
  readonly received: Received[]
  readonly server: Server
}

const TOKEN_SECONDS = 120

/** Makes a party's key pair: the private key for its client, the public one for the gateway's configuration. */
export async function makeKeys(folder: string, party: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const identify = async (key: CryptoKey) => ({
    ...(await exportJWK(key)),
    kid: `${party}-1`,
    alg: 'ES256',
  })
  const write = (name: string, value: unknown) =>
    writeFileSync(join(folder, name), JSON.stringify(value, null, 2), { mode: 0o600 })
  write(`${party}.private.jwk.json`, await identify(privateKey))
  write(`${party}.jwks.json`, { keys: [await identify(publicKey)] })
}

/** Signs the short-lived JWT that identifies a party to the gateway (RFC 7523 claims). */
export async function makeToken(folder: string, party: string, recipient: string): Promise<string> {
  const jwk: JWK = JSON.parse(readFileSync(join(folder, `${party}.private.jwk.json`), 'utf8'))
  return new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: `${party}-1` })
    .setIssuer(party)
    .setSubject(party)
    .setAudience(`urn:sealgate:${recipient}`)
    .setIssuedAt()
    .setExpirationTime(`${TOKEN_SECONDS} s`)
    .sign(await importJWK(jwk, 'ES256'))
}

/** Starts a party's server; `answer` makes the response body from the request's. */
export async function startParty(
  id: string,
  answer: (received: Received) => unknown,
): Promise<Party> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const message = { path: request.url ?? '', body: Buffer.concat(chunks).toString('utf8') }
    received.push(message)
    const body = JSON.stringify(answer(message))
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { id, url: `http://127.0.0.1:${port}`, received, server }
}

/** The sample bank: approves everything, and echoes the tokens that it was given. */
export function answerAsBank({ path, body }: Received): unknown {
  const request = JSON.parse(body)
  if (path.startsWith('/eligibility')) return { requestNo: request.requestNo, eligible: true }
  if (path.startsWith('/credit/applications')) {
    const { applicationId, applicant } = request
    return {
      applicationId,
      status: 'ACCEPTED',
      applicant: { mobile: applicant?.mobile },
      internalScore: 712,
    }
  }
  if (path.startsWith('/drawdowns')) {
    return { loanNo: request.loanNo, status: 'PAID_OUT', disbursedAt: '20261124103000' }
  }
  return { repayNo: request.repayNo, result: 'SUCCESS' }
}

/** The sample platform acknowledges callbacks. */
export function answerAsPlatform(): unknown {
  return { received: true }
}

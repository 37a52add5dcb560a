/** What every benchmark of the relay stands on: the bank, the peers, the gateways, and their requests. @module */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createHmac, hash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Installation, createInstallation } from '../test/support/installation.ts'
import { readCommandLine } from './command-line.ts'
import { openClient, startServer, type Variant } from './harness.ts'
import { POLICY } from './loan.ts'
import { startNginx } from './peers/nginx.ts'

const PEERS = join(import.meta.dirname, 'peers')
const TARGET = '/harbour-bank/bench'

/** Where one variant listens, and who makes its credentials. */
export interface Place {
  readonly name: string
  readonly port: number
  readonly pids: readonly number[]
  /** Header lines of one request's credentials; none for those who ask for none. */
  readonly credentials: (body: Buffer) => Promise<string>
}

/** The bank, and how to start what stands before it. */
export interface Rig {
  readonly bank: { readonly port: number; readonly pid: number; last(): Promise<string> }
  /** A folder on disk: /tmp may be memory, where a sync costs nothing. */
  readonly folder: string
  direct(): Place
  express(name: string, kind: 'pass' | 'rewrite'): Promise<Place>
  nginx(name: string, rewrite: boolean): Promise<Place>
  /** @param parts what is done besides passing bytes on, see peers/least.ts. */
  least(name: string, parts: readonly string[]): Promise<Place>
  /** @param without parts to leave out, see peers/gateway.ts. */
  sealgate(name: string, options?: SealgateOptions): Promise<Place>
  close(): Promise<void>
}

/** How a gateway is set up. */
export interface SealgateOptions {
  /** How the caller proves itself, and what the gateway signs with: keys, or shared secrets. */
  readonly secrets?: boolean
  readonly without?: readonly string[]
  /** Changes the installation before the start. */
  readonly prepare?: (installation: Installation) => void
}

/** Starts the bank. */
export async function openRig(): Promise<Rig> {
  const folder = mkdtempSync(join(process.cwd(), '.bench-'))
  process.env['TMPDIR'] = folder
  const running: ChildProcess[] = []
  const start = async (...parameters: string[]) => {
    const server = await startServer(parameters)
    running.push(server.child)
    return server
  }
  const { flags, environment } = readCommandLine()
  const bank = await start(join(PEERS, 'bank.ts'))
  const bankUrl = `http://127.0.0.1:${bank.port}`
  const nobody = async () => ''
  return {
    folder,
    bank: { port: bank.port, pid: bank.child.pid ?? 0, last: () => readLast(bank.port) },
    direct: () => ({ name: 'direct', port: bank.port, pids: [], credentials: nobody }),
    express: async (name, kind) => {
      const { port, pids } = await start(join(PEERS, `express-${kind}.ts`), bankUrl)
      return { name, port, pids, credentials: nobody }
    },
    nginx: async (name, rewrite) => {
      const { child, port, pids } = await startNginx(folder, bank.port, rewrite)
      running.push(child)
      return { name, port, pids, credentials: nobody }
    },
    least: async (name, parts) => {
      const journal = mkdtempSync(join(folder, 'journal-'))
      const { port, pids } = await start(join(PEERS, 'least.ts'), bankUrl, journal, parts.join())
      return { name, port, pids, credentials: nobody }
    },
    sealgate: async (name, { without = [], prepare = () => {}, secrets = false } = {}) => {
      const installation = await createInstallation(bankUrl)
      installation.addPolicy('bench.yaml', POLICY)
      const sign = secrets ? shareSecrets(installation) : undefined
      prepare(installation)
      const { configFile, platform } = installation
      const parameters = [...flags, join(PEERS, 'gateway.ts'), configFile, without.join()]
      const { child, port, pids } = await startServer(parameters, environment)
      running.push(child)
      const exp = () => Math.floor(Date.now() / 1000) + 280
      const credentials = async (body: Buffer) =>
        sign?.(body) ??
        `authorization: Bearer ${await platform.jwt('harbour-bank', { exp: exp() })}\r\n`
      return { name, port, pids, credentials }
    },
    close: async () => {
      for (const child of running) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        const ended = once(child, 'exit')
        child.kill('SIGTERM')
        await ended
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A variant that sends one body again and again, with fresh credentials each time. */
export function sending({ name, port, pids, credentials }: Place, body: Buffer): Variant {
  const ready: Buffer[] = []
  return {
    name,
    port,
    pids,
    prepare: async (count) => {
      while (ready.length < count) {
        const head =
          `POST ${name === 'direct' ? '/bench' : TARGET} HTTP/1.1\r\nhost: gateway\r\n` +
          `${await credentials(body)}content-type: application/json\r\n` +
          `content-length: ${body.length}\r\n\r\n`
        ready.push(Buffer.from(head))
      }
    },
    next: () => {
      const head = ready.pop()
      if (head === undefined) throw new Error('too few requests were made ready')
      return [head, body]
    },
  }
}

/** Lets caller and gateway, and gateway and bank, share secrets. @returns what signs a request. */
function shareSecrets({ folder, configFile }: Installation): (body: Buffer) => string {
  const k = randomBytes(32).toString('base64url')
  const file = join(folder, 'keys', 'shared.json')
  writeFileSync(file, JSON.stringify({ keys: [{ kty: 'oct', kid: 'k1', k }] }), { mode: 0o600 })
  const text = readFileSync(configFile, 'utf8')
    .replace(
      'auth: [ { jwt: { jwks: keys/sunrise-platform',
      'auth: [ { hmac: keys/shared.json }, { jwt: { jwks: keys/sunrise-platform',
    )
    .replace('{ id: harbour-bank,', '{ id: harbour-bank, signWith: keys/shared.json,')
  writeFileSync(configFile, text)
  let nonce = 0
  return (body) => {
    const digest = `sha-256=:${hash('sha256', body, 'base64')}:`
    const covered = '("@method" "@authority" "@path" "@query" "content-type" "content-digest")'
    const created = Math.floor(Date.now() / 1000)
    const parameters = `${covered};created=${created};keyid="sunrise-platform#k1";alg="hmac-sha256";nonce="${created}-${nonce++}"`
    const base =
      `"@method": POST\n"@authority": gateway\n"@path": ${TARGET}\n"@query": ?\n` +
      `"content-type": application/json\n"content-digest": ${digest}\n"@signature-params": ${parameters}`
    const mac = createHmac('sha256', Buffer.from(k, 'base64url')).update(base).digest('base64')
    return `content-digest: ${digest}\r\nsignature-input: s=${parameters}\r\nsignature: s=:${mac}:\r\n`
  }
}

async function readLast(port: number): Promise<string> {
  const client = await openClient(port)
  const { body } = await client.exchange([Buffer.from('GET /last HTTP/1.1\r\nhost: bank\r\n\r\n')])
  client.close()
  return body
}

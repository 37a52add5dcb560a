/** The demo's stage: an empty folder with keys, a configuration, two parties and a running gateway. @module */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  answerAsBank,
  answerAsPlatform,
  makeKeys,
  makeToken,
  type Party,
  startParty,
} from './parties.ts'
import { startSealgate, stop } from './processes.ts'

/** Everything that the demo started, and how to end it. */
export interface Scene {
  readonly folder: string
  readonly config: string
  readonly relay: string
  readonly bank: Party
  readonly platform: Party
  close(): Promise<void>
}

/** What came of one relayed message. */
export interface Answer {
  readonly status: number
  readonly evidenceId: string
  readonly body: string
  readonly milliseconds: number
}

const POLICIES = fileURLToPath(new URL('../../policies', import.meta.url))
const READY = 'sealgate is ready'

/** Builds the stage and waits until the gateway (and, with Redis, the worker) is ready. */
export async function openScene(queue: string): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-demo-'))
  const keys = join(folder, 'party-keys')
  const bank = await startParty('harbour-bank', answerAsBank)
  const platform = await startParty('sunrise-platform', answerAsPlatform)
  for (const { id } of [bank, platform]) await makeKeys(keys, id)
  const [relayPort, adminPort] = [await freePort(), await freePort()]
  const config = join(folder, 'sealgate.yaml')
  writeFileSync(config, describeScene({ queue, relayPort, adminPort, bank, platform }))

  const children: ChildProcess[] = []
  const parameters = ['--config', config]
  children.push(await startSealgate(['serve', ...parameters], READY))
  if (queue !== 'embedded') children.push(await startSealgate(['worker', ...parameters], READY))
  return {
    folder,
    config,
    relay: `http://127.0.0.1:${relayPort}`,
    bank,
    platform,
    close: async () => {
      for (const child of children) await stop(child)
      for (const { server } of [bank, platform]) server.close()
    },
  }
}

function describeScene(scene: {
  queue: string
  relayPort: number
  adminPort: number
  bank: Party
  platform: Party
}): string {
  const { queue, relayPort, adminPort, bank, platform } = scene
  const party = ({ id, url }: Party, role: string) =>
    `  - { id: ${id}, role: ${role}, url: ${url}, auth: [ { jwt: { jwks: party-keys/${id}.jwks.json } } ] }`
  return `# The demo's configuration; every key is explained in README.md.
relay: { listen: 127.0.0.1:${relayPort} }
admin: { listen: 127.0.0.1:${adminPort} }
data: ./data
policies: ${JSON.stringify(POLICIES)}
queue: ${queue}
operator: { name: Sealgate demo, role: entrusted-processor }
parties:
${party(platform, 'platform')}
${party(bank, 'bank')}
`
}

/** Sends one message through the gateway as its caller would. */
export async function send(
  scene: Scene,
  message: { from: string; to: string; method: string; path: string; body: string },
): Promise<Answer> {
  const token = await makeToken(join(scene.folder, 'party-keys'), message.from, message.to)
  const started = performance.now()
  const response = await fetch(`${scene.relay}/${message.to}${message.path}`, {
    method: message.method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: message.body,
  })
  const body = await response.text()
  return {
    status: response.status,
    evidenceId: response.headers.get('evidence-id') ?? '',
    body,
    milliseconds: performance.now() - started,
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A real Redis server of our own, on a free port, in a temporary folder. @module */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createClient } from 'redis'

export interface RedisServer {
  readonly url: string
  /** SIGKILL: what a crash of the machine's Redis looks like. */
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

/** What must run before tests that need a Redis may begin. */
export const REDIS_PROBE = ['redis-server', '--version'] as const

/** Starts it and waits until it answers. */
export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-redis-'))
  const port = await freePort()
  let server = await launch(folder, port)
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const gone = once(server, 'exit')
    server.kill('SIGKILL')
    await gone
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    restart: async () => {
      server = await launch(folder, port)
    },
    stop: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function launch(folder: string, port: number): Promise<ChildProcess> {
  const options = [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
  ]
  const server = spawn('redis-server', options, { stdio: 'ignore' })
  for (let tries = 0; tries < 100; tries += 1) {
    if (await answers(port)) return server
    await setTimeout(50)
  }
  server.kill('SIGKILL')
  throw new Error(`redis-server does not answer on port ${port}`)
}

async function answers(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
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

/** Everything that Redis holds, whatever its type, as text. */
export async function dumpRedis(url: string): Promise<string> {
  const client = createClient({ url })
  client.on('error', () => undefined) // A lost connection fails the command below.
  await client.connect()
  const parts: string[] = []
  for (const key of await client.keys('*')) {
    const read = {
      string: () => client.get(key),
      hash: () => client.hGetAll(key),
      list: () => client.lRange(key, 0, -1),
      set: () => client.sMembers(key),
      zset: () => client.zRange(key, 0, -1),
      stream: () => client.xRange(key, '-', '+'),
    }[await client.type(key)]
    if (read === undefined) throw new Error(`no reader for the type of ${key}`)
    parts.push(key, JSON.stringify(await read()))
  }
  client.destroy()
  return parts.join('\n')
}

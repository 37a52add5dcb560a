/** Side-by-side measuring: variants as processes, interleaved rounds, CPU time read from the kernel. @module */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'

/** One thing under test: a process tree that listens on loopback. */
export interface Variant {
  readonly name: string
  readonly port: number
  /** Every process whose CPU time counts. */
  readonly pids: readonly number[]
  /** Makes so many requests ready, credentials included, before anything is timed. */
  readonly prepare: (count: number) => Promise<void>
  /** The next request, complete bytes. */
  readonly next: () => readonly Buffer[]
}

/** What one round of load on one variant came to. */
export interface Round {
  readonly requests: number
  readonly cpuUs: number
  /** CPU per request of the recipient, and of the load generator itself. */
  readonly bankUs: number
  readonly loadUs: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly residentMb: number
}

/** A closed loop, or an open one when `perSecond` says how often a request begins. */
export interface Load {
  readonly connections: number
  readonly requests: number
  readonly perSecond?: number
  /** The recipient, whose time is told apart. */
  readonly bankPid?: number
}

/** Starts a server process; resolves with its port when it prints `ready <port>`. */
export async function startServer(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ child: ChildProcess; port: number; pids: readonly number[] }> {
  const child = spawn(process.execPath, parameters, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  let output = ''
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`${parameters[0]} ended with ${code}\n${output}`)),
    )
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk
      const found = /ready (\d+)/.exec(output)?.[1]
      if (found !== undefined) resolve(Number(found))
    })
  })
  return { child, port, pids: [child.pid ?? 0] }
}

/** Thread name → CPU time so far, microseconds, over all processes (Linux: /proc/<pid>/task/<tid>). */
export function threadTimesUs(pids: readonly number[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>()
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const read = (file: string) => readFileSync(`/proc/${pid}/task/${task}/${file}`, 'utf8')
      const name = read('comm').trim()
      times.set(name, (times.get(name) ?? 0) + Number(read('schedstat').split(' ')[0]) / 1000)
    }
  }
  return times
}

/** CPU time of all threads of the processes so far, microseconds. */
export function cpuTimeUs(pids: readonly number[]): number {
  return threadTimesUs(pids)
    .values()
    .reduce((sum, each) => sum + each, 0)
}

/** Resident memory of the processes, MB. */
export function residentMb(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0),
  )
  return kilobytes.reduce((sum, each) => sum + each, 0) / 1024
}

/** Drives a variant and reports cost and latency. @throws when an answer is not 200. */
export async function measure(variant: Variant, load: Load): Promise<Round> {
  const { connections, requests, perSecond, bankPid } = load
  await variant.prepare(requests)
  const clients = await Promise.all(
    Array.from({ length: connections }, () => openClient(variant.port)),
  )
  const bank = bankPid === undefined ? [] : [bankPid]
  const before = [cpuTimeUs(variant.pids), cpuTimeUs(bank), cpuTimeUs([process.pid])] as const
  const started = performance.now()
  const latencies: number[] = []
  const exchange = async (client: Client, dueMs: number) => {
    const answer = await client.exchange(variant.next())
    if (answer.status !== 200)
      throw new Error(`${variant.name} answered ${answer.status}: ${answer.body}`)
    latencies.push(performance.now() - dueMs)
  }
  try {
    if (perSecond === undefined) await closedLoop(clients, requests, exchange)
    else await openLoop(clients, requests, perSecond, exchange)
  } catch (error) {
    for (const client of clients) client.close()
    throw error
  }
  const seconds = (performance.now() - started) / 1000
  const each = (pids: readonly number[], from: number) => (cpuTimeUs(pids) - from) / requests
  const costs = {
    cpuUs: each(variant.pids, before[0]),
    bankUs: each(bank, before[1]),
    loadUs: each([process.pid], before[2]),
  }
  for (const client of clients) client.close()
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? 0
  return {
    requests,
    ...costs,
    perSecond: requests / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    residentMb: residentMb(variant.pids),
  }
}

type ExchangeOn = (client: Client, dueMs: number) => Promise<void>

async function closedLoop(clients: readonly Client[], requests: number, exchange: ExchangeOn) {
  let left = requests
  await Promise.all(
    clients.map(async (client) => {
      while (left-- > 0) await exchange(client, performance.now())
    }),
  )
}

/**
 * Latency counts from when a request was due, so that a queue before the gateway shows. What is due
 * begins each millisecond: a loop that spun would take a processor away from what it measures.
 */
async function openLoop(
  clients: readonly Client[],
  requests: number,
  perSecond: number,
  exchange: ExchangeOn,
) {
  const free = [...clients]
  const waiting: (() => void)[] = []
  const startedMs = performance.now()
  const one = async (dueMs: number) => {
    if (free.length === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    const client = free.pop() as Client // INVARIANT: whoever frees one wakes one.
    await exchange(client, dueMs)
    free.push(client)
    waiting.shift()?.()
  }
  const running: Promise<void>[] = []
  while (running.length < requests) {
    const due = ((performance.now() - startedMs) / 1000) * perSecond
    while (running.length < Math.min(due, requests))
      running.push(one(startedMs + (running.length / perSecond) * 1000))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(running)
}

/** Runs all variants round by round, so that a noisy second hurts all alike; the first rounds warm up. */
export async function interleave(
  variants: readonly Variant[],
  load: Load,
  rounds: number,
  warmUps = 1,
): Promise<Map<string, Round[]>> {
  const results = new Map<string, Round[]>(variants.map(({ name }) => [name, []]))
  for (let round = 1 - warmUps; round <= rounds; round++) {
    for (const variant of variants) {
      process.stderr.write(`\rround ${round}/${rounds}: ${variant.name.padEnd(50)}`)
      const result = await measure(variant, load)
      if (round > 0) results.get(variant.name)?.push(result)
    }
  }
  process.stderr.write(`\r${' '.repeat(70)}\r`)
  return results
}

/** Median, least and greatest of a figure over rounds. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The spread of one figure. */
export function spread(
  rounds: readonly Round[] | undefined,
  figure: (round: Round) => number,
): Spread {
  const sorted = (rounds ?? []).map(figure).sort((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  return { median: at(Math.floor(sorted.length / 2)), min: at(0), max: at(sorted.length - 1) }
}

/** A keep-alive HTTP/1.1 client that does nothing that is not needed for measuring. */
export interface Client {
  exchange(request: readonly Buffer[]): Promise<{ status: number; body: string }>
  close(): void
}

/** Connects a client. */
export async function openClient(port: number): Promise<Client> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  let received: Buffer = Buffer.alloc(0)
  let settle:
    | { resolve: (a: { status: number; body: string }) => void; reject: (e: Error) => void }
    | undefined
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const answer = parseAnswer(received)
    if (answer === undefined) return
    received = Buffer.alloc(0)
    settle?.resolve(answer)
  })
  socket.on('close', () => settle?.reject(new Error('the connection was closed')))
  socket.on('error', (error) => settle?.reject(error))
  return {
    exchange: (request) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        socket.cork()
        for (const bytes of request) socket.write(bytes)
        socket.uncork()
      }),
    close: () => {
      settle = undefined
      socket.destroy()
    },
  }
}

function parseAnswer(bytes: Buffer): { status: number; body: string } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end)
  const status = Number(head.slice(9, 12))
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) {
    const total = end + 4 + Number(length)
    return bytes.length < total
      ? undefined
      : { status, body: bytes.toString('utf8', end + 4, total) }
  }
  // Chunked: complete when the last chunk has come.
  return bytes.subarray(-5).equals(Buffer.from('0\r\n\r\n'))
    ? { status, body: joinChunks(bytes.subarray(end + 4)) }
    : undefined
}

function joinChunks(bytes: Buffer): string {
  const chunks: Buffer[] = []
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    if (size === 0) return Buffer.concat(chunks).toString('utf8')
    chunks.push(bytes.subarray(line + 2, line + 2 + size))
    at = line + size + 4
  }
}

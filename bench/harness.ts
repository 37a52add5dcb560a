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
  /** The next request, complete bytes; called once per request. */
  readonly nextRequest: () => Buffer
}

/** What one round of load on one variant came to. */
export interface Round {
  readonly requests: number
  readonly cpuUs: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface Load {
  readonly connections: number
  readonly requests: number
}

/** Starts a server process; resolves with its port when it prints `ready <port>`. */
export async function startServer(
  command: string,
  parameters: readonly string[],
): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'inherit'] })
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
  return { child, port }
}

/** CPU time of all threads of the processes so far, microseconds (Linux: /proc/<pid>/task/<tid>/schedstat). */
export function cpuTimeUs(pids: readonly number[]): number {
  let total = 0
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0])
    }
  }
  return total / 1000
}

/** Drives a variant in a closed loop and reports cost and latency. @throws when an answer is not 200. */
export async function measure(variant: Variant, { connections, requests }: Load): Promise<Round> {
  const latencies: number[] = []
  const before = cpuTimeUs(variant.pids)
  const started = performance.now()
  let left = requests
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = await openClient(variant.port)
      while (left-- > 0) {
        const sent = performance.now()
        const answer = await client.exchange(variant.nextRequest())
        if (answer.status !== 200)
          throw new Error(`${variant.name} answered ${answer.status}: ${answer.body}`)
        latencies.push(performance.now() - sent)
      }
      client.close()
    }),
  )
  const seconds = (performance.now() - started) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? 0
  return {
    requests,
    cpuUs: (cpuTimeUs(variant.pids) - before) / requests,
    perSecond: requests / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
}

/** Runs all variants round by round, so that a noisy second hurts all alike; the first round warms up. */
export async function interleave(
  variants: readonly Variant[],
  load: Load,
  rounds: number,
): Promise<Map<string, Round[]>> {
  const results = new Map<string, Round[]>(variants.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    process.stderr.write(`\rround ${round}/${rounds} `)
    for (const variant of variants) {
      const result = await measure(variant, load)
      if (round > 0) results.get(variant.name)?.push(result)
    }
  }
  process.stderr.write('\r                    \r')
  return results
}

/** Median, least and greatest of a figure over rounds. */
export function spread(rounds: readonly Round[], figure: (round: Round) => number) {
  const sorted = rounds.map(figure).sort((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  return { median: at(Math.floor(sorted.length / 2)), min: at(0), max: at(sorted.length - 1) }
}

/** A keep-alive HTTP/1.1 client that does nothing that is not needed for measuring. */
export async function openClient(port: number) {
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
    exchange: (request: Buffer) =>
      new Promise<{ status: number; body: string }>((resolve, reject) => {
        settle = { resolve, reject }
        socket.write(request)
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
    ? { status, body: bytes.toString('utf8', end + 4) }
    : undefined
}

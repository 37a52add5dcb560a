/**
 * Long bodies through a running gateway, in one request and as a resumable upload, beside nginx that passes
 * the same bytes untouched: throughput, CPU time and the most memory that was ever resident.
 * `node bench/stream.ts [megabytes]` @module
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInstallation } from '../test/support/installation.ts'
import { readCommandLine } from './command-line.ts'
import { cpuTimeUs, openClient, startServer } from './harness.ts'
import { csv, type LongBody, multipart, ndjson } from './long-bodies.ts'
import { hasNginx, startNginx } from './peers/nginx.ts'

const PEERS = join(import.meta.dirname, 'peers')
const MB = 1_000_000
const UPLOAD_PARTS = 4

/** What one transfer came to. */
export interface Transfer {
  readonly kind: string
  readonly through: string
  readonly megabytes: number
  readonly seconds: number
  readonly cpuSeconds: number
  /** The most memory that its processes ever had resident, bytes. */
  readonly residentBytes: number
}

/**
 * Sends every kind through nginx and through a gateway.
 *
 * @param bytes of each body.
 * @param only kinds whose name begins so.
 */
export async function runStreams(bytes: number, only = ''): Promise<readonly Transfer[]> {
  const folder = mkdtempSync(join(process.cwd(), '.bench-'))
  process.env['TMPDIR'] = folder
  const children: ChildProcess[] = []
  try {
    const taker = await startServer([join(PEERS, 'taker.ts')])
    children.push(taker.child)
    const transfers: Transfer[] = []
    for (const kind of [ndjson(), csv(), multipart()].filter(({ name }) => name.startsWith(only))) {
      if (hasNginx()) {
        const nginx = await startNginx(folder, taker.port, false)
        children.push(nginx.child)
        const place = { ...nginx, through: 'nginx, untouched', path: kind.path }
        transfers.push(await transfer(kind, bytes, place, inOne))
      }
      const installation = await createInstallation(`http://127.0.0.1:${taker.port}`)
      installation.addPolicy('stream.yaml', kind.policy)
      for (const [through, send] of [
        ['Sealgate', inOne],
        [`Sealgate, in ${UPLOAD_PARTS} parts`, inParts],
      ] as const) {
        // A process for each body: what one leaves behind is not the next one's.
        const { flags, environment } = readCommandLine()
        const parameters = [...flags, join(PEERS, 'gateway.ts'), installation.configFile]
        const gateway = await startServer(parameters, environment)
        children.push(gateway.child)
        const credentials = async () =>
          `authorization: Bearer ${await installation.platform.jwt('harbour-bank')}\r\n`
        const place = { ...gateway, through, path: `/harbour-bank${kind.path}`, credentials }
        transfers.push(await transfer(kind, bytes, place, send))
        await checkTaken(kind, taker.port)
        gateway.child.kill('SIGTERM')
        await once(gateway.child, 'exit')
        children.pop()
      }
    }
    return transfers
  } finally {
    for (const child of children) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Place {
  readonly through: string
  readonly port: number
  readonly pids: readonly number[]
  readonly path: string
  /** The fields that say who calls, for one request. */
  readonly credentials?: () => Promise<string>
}

/** How a body is sent. @returns the answer. */
type Send = (place: Place, contentType: string, pieces: readonly Buffer[]) => Promise<string>

/** Sends one body, as fast as it is taken. */
// prettier-ignore
async function transfer(kind: LongBody, bytes: number, place: Place, send: Send): Promise<Transfer> {
  const blocks = Math.ceil(bytes / kind.block.length)
  const pieces = [kind.first(blocks), ...Array.from({ length: blocks }, () => kind.block), kind.last(blocks)]
  const before = cpuTimeUs(place.pids)
  const started = performance.now()
  const answer = await send(place, kind.contentType, pieces)
  const seconds = (performance.now() - started) / 1000
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`${place.through}: ${answer}`)
  return {
    kind: kind.name,
    through: place.through,
    megabytes: sizeOf(pieces) / MB,
    seconds,
    cpuSeconds: (cpuTimeUs(place.pids) - before) / 1e6,
    residentBytes: Math.max(...place.pids.map(peakOf)),
  }
}

const inOne: Send = (place, contentType, pieces) =>
  request(place, `POST ${place.path}`, `content-type: ${contentType}\r\n`, pieces)

/** As a resumable upload, each part over a connection of its own. */
const inParts: Send = async (place, contentType, pieces) => {
  const begun = await request(place, `POST ${place.path}`, `content-type: ${contentType}\r\nupload-complete: ?0\r\n`, []) // prettier-ignore
  const upload = /^location: (.*)\r$/m.exec(begun)?.[1]
  const each = Math.ceil(pieces.length / UPLOAD_PARTS)
  let offset = 0
  for (let at = 0; ; at += each) {
    const part = pieces.slice(at, at + each)
    const isLast = at + each >= pieces.length
    const fields = `content-type: application/partial-upload\r\nupload-offset: ${offset}\r\nupload-complete: ?${isLast ? 1 : 0}\r\n`
    const answer = await request(place, `PATCH ${upload}`, fields, part)
    if (isLast || !answer.startsWith('HTTP/1.1 204')) return answer
    offset += sizeOf(part)
  }
}

/** One request over a bare socket, and its answer. */
async function request(
  { port, credentials = async () => '' }: Pick<Place, 'port' | 'credentials'>,
  line: string,
  fields: string,
  pieces: readonly Buffer[],
): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
  const ended = once(socket, 'close')
  const write = async (part: Buffer) => {
    if (!socket.write(part)) await Promise.race([once(socket, 'drain'), ended])
  }
  const head = `${line} HTTP/1.1\r\nhost: gateway\r\n${await credentials()}${fields}`
  await write(Buffer.from(`${head}content-length: ${sizeOf(pieces)}\r\nconnection: close\r\n\r\n`))
  for (const piece of pieces) if (!socket.destroyed) await write(piece)
  await ended
  return answer
}

const sizeOf = (pieces: readonly Buffer[]) => pieces.reduce((sum, { length }) => sum + length, 0)

/** The peak of resident memory (Linux: VmHWM). */
function peakOf(pid: number): number {
  const kilobytes = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1024
}

/** A gateway that did not do its work is not measured. */
async function checkTaken({ name, wanted, planted }: LongBody, port: number): Promise<void> {
  const client = await openClient(port)
  const { body } = await client.exchange([Buffer.from('GET / HTTP/1.1\r\nhost: bank\r\n\r\n')])
  client.close()
  const taken = JSON.parse(body) as { head: string; tail: string; trailer: string; whole: boolean }
  const ends = taken.head + taken.tail
  for (const text of wanted) if (!ends.includes(text)) throw new Error(`${name} lacks ${text}`)
  for (const text of planted) if (ends.includes(text)) throw new Error(`${name} has ${text}`)
  if (!taken.whole || taken.trailer === '') throw new Error(`${name} has no end`)
}

/** The table of the README. */
export function streamText(transfers: readonly Transfer[]): string {
  const lines = transfers.map(
    ({ kind, through, megabytes, seconds, cpuSeconds, residentBytes }) =>
      `| ${kind} | ${through} | ${megabytes.toFixed(0)} | ${seconds.toFixed(1)} | ` +
      `${(megabytes / seconds).toFixed(0)} | ${cpuSeconds.toFixed(1)} | ${(residentBytes / MB).toFixed(0)} |`,
  )
  return [
    '| body | through | MB | seconds | MB/s | CPU seconds | most resident, MB |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}

if (import.meta.main) {
  const [megabytes = '1000', only] = process.argv.slice(2)
  process.stdout.write(`${streamText(await runStreams(Number(megabytes) * MB, only))}\n`)
}

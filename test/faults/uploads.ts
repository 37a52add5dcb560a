/**
 * Kills the gateway with SIGKILL at random moments while uploads are under way, and restarts it. Callers do
 * what the README of uploads tells them. Afterwards no file may have reached the bank twice, none may be
 * believed answered that did not, and the log must be whole. `node test/faults/uploads.ts [kills] [seed]` @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Installation, createInstallation } from '../support/installation.ts'
import { collect, row, rowsPolicy, startTaker } from '../support/long.ts'
import { type GatewayProcess, spawnGateway } from '../support/process.ts'
import { seededRandom } from '../support/random.ts'
import { checkLog, readRecords } from '../support/records.ts'
import { beginAt, partFields, type Send, uploader } from '../support/uploads.ts'

const CALLERS = 4
const LOAD_MS_MAX = 900
const ROWS = 2000
const ROUTE = '/harbour-bank/rows'

/** What a run of kills left. */
export interface UploadKillReport {
  readonly seed: number
  readonly kills: number
  readonly files: number
  readonly seenByBank: number
  readonly answered: number
  readonly unknown: number
  readonly begunAnew: number
  /** Files that the bank has twice. */
  readonly doubled: readonly number[]
  /** Files that a caller believes answered and the bank has not. */
  readonly missing: readonly number[]
  /** Evidence-Ids that the bank saw and the log has not once. */
  readonly unrecorded: readonly string[]
}

interface Load {
  readonly installation: Installation
  readonly random: () => number
  gateway: GatewayProcess
  stopped: boolean
  files: number
  begunAnew: number
  readonly answered: Set<number>
  unknown: number
}

/** Runs the kills. @throws when the log contradicts itself. */
export async function runUploadKills(kills: number, seed: number): Promise<UploadKillReport> {
  const random = seededRandom(seed)
  const taker = await startTaker()
  const arrived: { file: number; rid: string }[] = []
  taker.take = (incoming, response) => {
    void collect(incoming).then(async ({ body, whole, headers }) => {
      if (!whole) return
      const file = Number(/"loan":"L-(\d+)"/.exec(body.toString())?.[1]) / ROWS
      arrived.push({ file, rid: String(headers['evidence-id']) })
      await sleep(random() * 50)
      response.setHeader('content-type', 'application/json').end('{}')
    })
  }
  const installation = await createInstallation(taker.url)
  installation.addPolicy('rows.yaml', rowsPolicy())
  try {
    const load: Load = {
      ...{ installation, random, gateway: await spawnGateway(installation.configFile) },
      ...{ stopped: false, files: 0, begunAnew: 0, answered: new Set<number>(), unknown: 0 },
    }
    const callers = Array.from({ length: CALLERS }, () => sendFiles(load))
    for (let i = 0; i < kills; i++) {
      await sleep(random() * LOAD_MS_MAX)
      await load.gateway.kill('SIGKILL')
      load.gateway = await spawnGateway(installation.configFile)
    }
    load.stopped = true
    await Promise.all(callers)
    await load.gateway.kill('SIGTERM')
    await checkLog(installation.config())
    const logged = (await readRecords(installation.config())).map(({ rid }) => rid)
    const { files, answered, unknown, begunAnew } = load
    const copies = (file: number) => arrived.filter((each) => each.file === file).length
    const all = Array.from({ length: files }, (_, file) => file)
    return {
      ...{ seed, kills, files, unknown, begunAnew },
      seenByBank: arrived.length,
      answered: answered.size,
      doubled: all.filter((file) => copies(file) > 1),
      missing: [...answered].filter((file) => copies(file) === 0),
      unrecorded: arrived.map(({ rid }) => rid).filter((rid) => logged.filter((one) => one === rid).length !== 1), // prettier-ignore
    }
  } finally {
    await taker.close()
    installation.remove()
  }
}

async function sendFiles(load: Load): Promise<void> {
  while (!load.stopped) {
    const file = load.files++
    const body = Buffer.from(Array.from({ length: ROWS }, (_, n) => row(file * ROWS + n)).join(''))
    while (!(await sendFile(load, file, body))) load.begunAnew++
  }
}

/** @returns false when all of it must be sent again. */
async function sendFile(load: Load, file: number, body: Buffer): Promise<boolean> {
  const send: Send = (part) => uploader(load.gateway.relayUrl, load.installation.platform)(part)
  const upload = await begin(send)
  for (;;) {
    const { answer } = await send({ method: 'HEAD', path: upload })
    if (answer?.status === 404) return false
    if (answer?.status === 204 && answer.headers['upload-complete'] === '?1') {
      const outcome = String(answer.headers['evidence-outcome'])
      if (outcome === 'unknown') load.unknown++
      else if (outcome.startsWith('answered')) load.answered.add(file)
      if (outcome !== 'pending') return true
    }
    if (answer?.status !== 204 || answer.headers['upload-complete'] === '?1') {
      await sleep(20)
      continue
    }
    const offset = Number(answer.headers['upload-offset'])
    const end = Math.min(body.length, offset + Math.ceil(load.random() * 120_000))
    const headers = partFields(offset, end === body.length)
    const part = { method: 'PATCH', path: upload, headers, body: body.subarray(offset, end) }
    const breakAt = Math.floor(load.random() * part.body.length)
    await send(load.random() < 0.2 ? { ...part, breakAt } : part)
  }
}

/** Tries until there is a gateway again. */
async function begin(send: Send): Promise<string> {
  for (;;) {
    const upload = await beginAt(send, ROUTE).catch(() => undefined)
    if (upload !== undefined) return upload
    await sleep(20)
  }
}

if (import.meta.main) {
  const [kills = '20', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2)
  const result = await runUploadKills(Number(kills), Number(seed))
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
  const { missing, unrecorded, doubled } = result
  process.exitCode = missing.length + unrecorded.length + doubled.length === 0 ? 0 : 1
}

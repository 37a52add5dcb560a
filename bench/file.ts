/**
 * `sealgate file` on one long reconciliation file: rate, processor time and peak memory of the command. Checks rows and
 * totals of what it wrote first. `node bench/file.ts [megabytes]`, 256 when absent. @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { FileReport } from '../gateway/file/state.ts'
import { createInstallation } from '../test/support/installation.ts'
import { cpuTimeUs } from './harness.ts'
import { disbursements, DISBURSEMENTS } from './long-bodies.ts'
import { spawnGateway } from '../test/support/process.ts'

const COMMAND = join(import.meta.dirname, '../cli/sealgate.js')
const megabytes = Number(process.argv[2] ?? 256)

/** Writes a file of a day. @returns its rows. */
async function writeInput(path: string): Promise<number> {
  const { first, block, last, rows } = disbursements()
  const blocks = Math.ceil((megabytes * 1e6) / block.length)
  const file = createWriteStream(path)
  file.write(first(blocks))
  for (let n = 0; n < blocks; n++) if (!file.write(block)) await once(file, 'drain')
  file.end(last(blocks))
  await once(file, 'finish')
  return blocks * rows
}

/** The output must have all rows, and none of the numbers. */
async function check(path: string, count: number): Promise<void> {
  let rows = 0
  for await (const line of createInterface({ input: createReadStream(path, 'latin1') })) {
    if (line.startsWith('CT')) rows++
    if (line.includes('62220236')) throw new Error('an account number left')
  }
  if (rows !== count) throw new Error(`expected ${count} rows, found ${rows}`)
}

const installation = await createInstallation('http://127.0.0.1:9')
const gateway = await spawnGateway(installation.configFile)
try {
  const [input, output] = [
    join(installation.folder, 'in.txt'),
    join(installation.folder, 'out.txt'),
  ]
  const count = await writeInput(input)
  const args = ['file', input, output, '--route', DISBURSEMENTS, '--companion', 'none'] // prettier-ignore
  const where = ['--admin', gateway.adminUrl, '--config', installation.configFile]
  // Its first line sets how memory is used, so it is run as a shell runs it, by this node.
  const child = spawn(COMMAND, [...args, ...where], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` },
  })
  let stdout = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  let peak = 0
  let cpuUs = 0
  const timer = setInterval(() => {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]
    peak = Math.max(peak, Number(kilobytes ?? 0))
    cpuUs = Math.max(cpuUs, cpuTimeUs([child.pid ?? 0]))
  }, 50)
  child.once('exit', () => clearInterval(timer))
  await once(child, 'close')
  const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as FileReport
  if (report.result !== 'delivered') throw new Error(stdout)
  await check(output, count)
  const { size } = statSync(input)
  const seconds = Math.max(report.seconds, 0.001)
  process.stdout.write(
    `${count} rows, ${(size / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s: ` +
      `${(size / 1e6 / seconds).toFixed(1)} MB/s, ${Math.round(count / seconds)} rows/s, ` +
      `${(cpuUs / 1e6).toFixed(1)} s of processor time with its start, ` +
      `${(peak / 1024).toFixed(0)} MiB resident at most\n`,
  )
} finally {
  await gateway.kill('SIGTERM')
  installation.remove()
}

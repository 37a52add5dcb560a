/** Starts the product's own commands the way a user would, and waits for what they print. @module */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const SEALGATE = fileURLToPath(new URL('../sealgate.js', import.meta.url))
const START_TIMEOUT_MS = 20_000

/** Runs one `sealgate` command to its end. */
export function sealgate(...parameters: string[]): { status: number; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SEALGATE, ...parameters], {
    encoding: 'utf8',
  })
  return { status: status ?? 1, output: stdout + stderr }
}

/** Starts a long-running `sealgate` command; resolves when its health address answers or `ready` is printed. */
export async function startSealgate(parameters: string[], ready: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [SEALGATE, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const printed = new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`sealgate ${parameters[0]} ${why}\n${output}`))
    const timer = setTimeout(
      () => fail(`was not ready after ${START_TIMEOUT_MS} ms`),
      START_TIMEOUT_MS,
    )
    const read = (chunk: Buffer) => {
      output += chunk
      if (!output.includes(ready)) return
      clearTimeout(timer)
      resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) => {
      clearTimeout(timer)
      fail(`ended with exit code ${code}`)
    })
  })
  await printed
  return child
}

/** Asks a process that this program started to end, and waits for it. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

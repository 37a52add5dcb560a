/** The gateway as its own process, as an operator runs it. @module */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const COMMAND = join(import.meta.dirname, '../../cli/sealgate.js')

/** A running `sealgate` command. */
export interface CommandProcess {
  readonly child: ChildProcess
  /** stdout and stderr so far. */
  output(): string
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>
}

/** A running `sealgate serve`. */
export interface GatewayProcess extends CommandProcess {
  readonly relayUrl: string
  readonly adminUrl: string
}

/** Starts `sealgate serve` and waits until it says that it is ready. @param through a command that starts it. */
export async function spawnGateway(
  configFile: string,
  environment: Readonly<Record<string, string>> = {},
  through: readonly string[] = [],
): Promise<GatewayProcess> {
  const { line, ...running } = await spawnUntilReady('serve', configFile, environment, through)
  const { relay, admin } = JSON.parse(line) as { relay: string; admin: string }
  return { ...running, relayUrl: relay, adminUrl: admin }
}

/** Starts `sealgate worker` and waits until it says that it is ready. */
export async function spawnWorker(configFile: string): Promise<CommandProcess> {
  return spawnUntilReady('worker', configFile)
}

async function spawnUntilReady(
  command: string,
  configFile: string,
  environment: Readonly<Record<string, string>> = {},
  through: readonly string[] = [],
): Promise<CommandProcess & { line: string }> {
  const words = [...through, process.execPath, COMMAND, command, '--config', configFile]
  const child = spawn(words[0] ?? '', words.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const exited = once(child, 'exit') as Promise<[number | null]>
  const ready = new Promise<string>((resolve) => {
    child.stdout.on('data', () => {
      const line = output.split('\n').find((text) => text.includes('sealgate is ready'))
      if (line !== undefined) resolve(line)
    })
  })
  const first = await Promise.race([ready, exited])
  if (Array.isArray(first)) throw new Error(`${command} ended with ${first[0]}: ${output}`)
  return {
    child,
    line: first,
    output: () => output,
    kill: async (signal) => {
      child.kill(signal)
      return (await exited)[0]
    },
  }
}

/** Runs any `sealgate` command to its end. */
export async function runCommand(
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

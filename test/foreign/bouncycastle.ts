/** Debian's BouncyCastle, called through small Java programs. @module */
import { join, resolve } from 'node:path'
import { type Run, runTool } from './tool.ts'

const JARS = ['bcprov', 'bcpkix', 'bcutil'].map((name) => `/usr/share/java/${name}.jar`)

/** Fails where java or one of the Debian packages is missing. */
export const BOUNCY_CASTLE_PROBE = [
  'sh',
  '-c',
  ['javac -version', ...JARS.map((jar) => `test -r ${jar}`)].join(' && '),
] as const

/** Compiles and runs `test/foreign/java/<program>.java` with the arguments, in the folder. */
export function runJava(program: string, args: readonly string[], folder: string): Run {
  const path = JARS.join(':')
  const source = resolve(import.meta.dirname, 'java', `${program}.java`)
  const built = runTool('javac', ['-cp', path, '-d', folder, source], folder)
  if (!built.ok) return built
  return runTool('java', ['-cp', `${path}:${join(folder)}`, program, ...args], folder)
}

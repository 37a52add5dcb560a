/** Debian's BouncyCastle, called through small Java programs. @module */
import { expect } from 'chai'
import { join, resolve } from 'node:path'
import { type Run, runTool } from './tool.ts'

const JARS = ['bcprov', 'bcpkix', 'bcutil'].map((name) => `/usr/share/java/${name}.jar`)

/** Fails where java or one of the Debian packages is missing. */
export const BOUNCY_CASTLE_PROBE = [
  'sh',
  '-c',
  ['javac -version', ...JARS.map((jar) => `test -r ${jar}`)].join(' && '),
] as const

/**
 * Compiles and runs `test/foreign/java/<program>.java`, which prints `<file> valid` or
 * `<file> refused: <why>` for each pair of files.
 *
 * @param want the lines without the reasons.
 */
export function expectVerdicts(
  program: string,
  args: readonly string[],
  want: readonly string[],
  folder: string,
): void {
  const { text } = runJava(program, args, folder)
  const got = text.trim().split('\n')
  expect(
    got.map((line) => line.replace(/ refused:.*/, ' refused')),
    text,
  ).to.deep.equal(want)
}

/** Compiles and runs `test/foreign/java/<program>.java`. */
export function runJava(program: string, args: readonly string[], folder: string): Run {
  const path = JARS.join(':')
  const source = resolve(import.meta.dirname, 'java', `${program}.java`)
  const built = runTool('javac', ['-cp', path, '-d', folder, source], folder)
  if (!built.ok) return built
  return runTool('java', ['-cp', `${path}:${join(folder)}`, program, ...args], folder)
}

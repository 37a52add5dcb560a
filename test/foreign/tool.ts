/** Runs verifiers that are not ours. @module */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Describes tests that need an outside tool. CI has all of them, so there a missing one fails the
 * tests; elsewhere they are pending, and the closing line counts them as skipped.
 */
export function describeForeign(title: string, probe: readonly string[], body: () => void): void {
  const [command = '', ...args] = probe
  const found = spawnSync(command, args, { timeout: 20_000 }).status === 0
  const [declare, note] =
    found || process.env['CI'] === 'true'
      ? ([describe, ''] as const)
      : ([describe.skip, ` (left out: \`${probe.join(' ')}\` does not run here)`] as const)
  declare(title + note, body)
}

/** What a tool said. */
export interface Run {
  readonly ok: boolean
  /** stdout and stderr. */
  readonly text: string
}

/** Runs a tool to its end, at most 20 s. */
export function runTool(command: string, args: readonly string[], folder: string): Run {
  const run = spawnSync(command, args, { cwd: folder, timeout: 20_000, encoding: 'utf8' })
  if (run.error !== undefined) throw run.error
  return { ok: run.status === 0, text: run.stdout + run.stderr }
}

/** A folder for one test file, with the given files. */
export function makeFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): {
  readonly path: string
  put(name: string, content: string | Uint8Array): string
  remove(): void
} {
  const path = mkdtempSync(join(tmpdir(), 'sealgate-foreign-'))
  const put = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(path, name), content)
    return name
  }
  for (const [name, content] of Object.entries(files)) put(name, content)
  return { path, put, remove: () => rmSync(path, { recursive: true }) }
}

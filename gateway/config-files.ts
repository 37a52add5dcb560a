/** Files that the configuration names: there, readable, and holding what they should. @module */
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Report, Spot } from '../base/diagnostic.ts'
import { type Reader, textOf } from '../base/shape.ts'

/** Reads a file as UTF-8, or complains at `at`. `what` names it in the message. */
export function readText(path: string, at: Spot, report: Report, what: string): string | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  return readAs(path, at, report, what, (bytes) => decoder.decode(bytes))
}

/** Reads a file as it stands; what is wrong with it is told at `at`. */
export function readBytes(
  path: string,
  at: Spot,
  report: Report,
  what: string,
): Buffer | undefined {
  return readAs(path, at, report, what, (bytes) => bytes)
}

// prettier-ignore
function readAs<T>(path: string, at: Spot, report: Report, what: string, as: (bytes: Buffer) => T): T | undefined {
  try {
    return as(readFileSync(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const [reason, help] = FAILURES[code ?? ''] ?? [`cannot be read (${code})`, `look at ${path}`]
    report.error(at, `${what} ${reason}`, help.replace('…', path))
    return undefined
  }
}

// prettier-ignore
const FAILURES: Readonly<Record<string, readonly [reason: string, help: string]>> = {
  ENOENT:                   ['does not exist',          'make the file …'],
  EACCES:                   ['may not be read',         'let the user who runs sealgate read …'],
  EISDIR:                   ['is a folder, not a file', 'name a file'],
  ERR_ENCODING_INVALID_ENCODED_DATA: ['is not UTF-8 text', 'save … as UTF-8'],
}

/** Whether a folder exists there. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** As `readableFile`, for a file that nobody else may read. */
export function secretFile(
  folder: string,
  what: string,
  check: (text: string) => void,
): Reader<string> {
  const read = readableFile(folder, what, check)
  return (node, report) => {
    const path = read(node, report)
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
    if ((mode & 0o077) !== 0) report.error(node.at, 'others can read the key', `chmod 600 ${path}`)
    return path
  }
}

/** Reads the absolute path of a file that exists and holds what it should. Its content is never quoted. */
export function readableFile(
  folder: string,
  what: string,
  check: (text: string) => void,
): Reader<string> {
  return (node, report) => {
    const name = textOf('a file')(node, report)
    const path = resolve(folder, name)
    const text = name === '' ? undefined : readText(path, node.at, report, `\`${name}\``)
    if (text === undefined) return path
    try {
      check(text)
    } catch (error) {
      // The library's message may quote the key; only its code goes out.
      const { code } = error as { code?: string }
      report.error(
        node.at,
        `\`${name}\` is not ${what}${code === undefined ? '' : ` (${code})`}`,
        'replace the file',
      )
    }
    return path
  }
}

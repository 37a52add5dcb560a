/** The key from which all record secrets are derived, in a file of its own. @module */
import * as fs from 'node:fs'
import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { Problem } from '../base/problem.ts'

const KEY_BYTES = 32

/**
 * Reads the commitment key, 32 bytes; makes it (0600) when absent. Destroying the file ends for
 * ever that a value can be proven against a record.
 *
 * @throws {Problem} `key-unusable` when others may read it, or it is not 32 bytes.
 */
export function openCommitmentKey(path: string): Buffer {
  if (!fs.existsSync(path)) createKey(path)
  if ((fs.statSync(path).mode & 0o077) !== 0) throw unusable(path, 'must have mode 0600')
  const key = fs.readFileSync(path)
  if (key.length !== KEY_BYTES) throw unusable(path, `must have ${KEY_BYTES} bytes`)
  return key
}

/** Whole or not at all, and never over a key that another process has just made. */
function createKey(path: string): void {
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}.new`
  fs.writeFileSync(temporary, randomBytes(KEY_BYTES), { flag: 'wx', mode: 0o600, flush: true })
  try {
    fs.linkSync(temporary, path)
  } catch (error) {
    if (!fs.existsSync(path)) throw error
  } finally {
    fs.unlinkSync(temporary)
  }
  const folder = fs.openSync(dirname(path), 'r')
  fs.fsyncSync(folder)
  fs.closeSync(folder)
}

function unusable(path: string, why: string): Problem {
  return new Problem('key-unusable', `the commitment key \`${path}\` ${why}`)
}

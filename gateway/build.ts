/** Which program made a record: a digest over the sources that ran. @module */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const FLOORS = ['base', 'evidence', 'gateway', 'workers']

/** `sha256:<hex>` over `package-lock.json` and every source file of the floors that make records. */
export function buildDigest(): string {
  const files = FLOORS.flatMap((floor) =>
    readdirSync(join(ROOT, floor), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/')),
  )
  const hash = createHash('sha256')
  for (const file of ['package-lock.json', ...files.toSorted()]) {
    const bytes = readFileSync(join(ROOT, file))
    hash.update(`${file}\0${bytes.length}\0`).update(bytes)
  }
  return `sha256:${hash.digest('hex')}`
}

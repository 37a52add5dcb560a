/**
 * Adds to package-lock.json the per-platform optional packages that a registry did not serve when
 * the lock was made: `npm ci` refuses a lock without them. Run after each change of dependencies.
 * Entries so added carry no integrity; make the lock anew where the registry is complete. @module
 */
import { readFileSync, writeFileSync } from 'node:fs'

interface Entry {
  version?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  optionalDependencies?: Record<string, string>
}

const lock: { packages: Record<string, Entry> } = JSON.parse(
  readFileSync('package-lock.json', 'utf8'),
)
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '') continue
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (Object.keys(lock.packages).some((p) => p.endsWith(`node_modules/${name}`))) continue
    const [, os = '', cpu = ''] = /-(android|darwin|linux|win32)-(arm64|x64|arm)/.exec(name) ?? []
    if (os === '') throw new Error(`cannot read the platform of ${name}; add it by hand`)
    const dev = entry.dev === true ? { dev: true } : {}
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...dev,
      optional: true,
      os: [os],
    }
    process.stdout.write(`added ${name}@${version}\n`)
  }
}
const packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)),
)
writeFileSync('package-lock.json', `${JSON.stringify({ ...lock, packages }, null, 2)}\n`)

/** The secret that opens the admin API: one file that only the operator can read. @module */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigFault } from './fault.ts'

const SECRET_BYTES = 32

/**
 * Opens `<data>/keys/admin.secret`, making it (0600) when there is none.
 *
 * @returns base64url text, to be sent as `Authorization: Bearer …`.
 * @throws {ConfigFault} when others can read it, or it is not such a text.
 */
export function openAdminSecret(data: string): string {
  const file = join(data, 'keys', 'admin.secret')
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const secret = randomBytes(SECRET_BYTES).toString('base64url')
    writeFileSync(file, secret, { mode: 0o600, flag: 'wx', flush: true })
    return secret
  }
  if ((statSync(file).mode & 0o077) !== 0)
    throw new ConfigFault(file, `others can read the secret; chmod 600 ${file}`)
  const secret = readFileSync(file, 'utf8').trim()
  if (/^[A-Za-z0-9_-]{43,}$/.test(secret)) return secret
  throw new ConfigFault(file, 'expected 32 random bytes or more in base64url')
}

/** Whether a presented secret is the one; takes as long for each wrong one. */
export function sameSecret(presented: string, secret: string): boolean {
  return timingSafeEqual(hash('sha256', presented, 'buffer'), hash('sha256', secret, 'buffer'))
}

/** Keeps every policy file that was ever in force, byte for byte: records name them by digest alone. @module */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from './crypto.ts'

/** @returns the file with this hex SHA-256; undefined when it was not kept. */
export type PolicyOf = (digest: string) => Uint8Array | undefined

/**
 * Keeps a policy file. Call it before the policy decides anything; again is harmless.
 *
 * @returns whether it was new.
 */
export function savePolicy(folder: string, text: string): boolean {
  const path = join(folder, `${sha256(text).toString('hex')}.yaml`)
  if (existsSync(path)) return false
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${path}.tmp`, text, { flush: true })
  renameSync(`${path}.tmp`, path)
  return true
}

/** Looks kept files up. */
export function openPolicies(folder: string): PolicyOf {
  return (digest) => {
    const path = join(folder, `${digest}.yaml`)
    // Attacker-controlled: a record may name anything; only a digest becomes a file name.
    if (!/^[0-9a-f]{64}$/.test(digest) || !existsSync(path)) return undefined
    return readFileSync(path)
  }
}

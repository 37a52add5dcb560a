/** Keeps the certificate chain of every seal key that was ever used, for exports years later. @module */
import { hash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPem, toPem } from './pem.ts'

/** @returns leaf, issuers, root as DER; undefined when no such certificate was kept. */
export type ChainOf = (thumbprint: string) => readonly Uint8Array[] | undefined

/** Keeps a chain, leaf first. Call it before the key seals its first record; again is harmless. */
export function saveChain(folder: string, chain: readonly Uint8Array[]): void {
  const [leaf] = chain
  if (leaf === undefined) return
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${hash('sha256', leaf, 'base64url')}.pem`)
  if (existsSync(path)) return
  const text = chain.map((der) => toPem('CERTIFICATE', der)).join('')
  writeFileSync(`${path}.tmp`, text, { flush: true })
  renameSync(`${path}.tmp`, path)
}

/** Looks chains up by the base64url SHA-256 of their leaf. */
export function openChains(folder: string): ChainOf {
  return (thumbprint) => {
    const path = join(folder, `${thumbprint}.pem`)
    // Attacker-controlled: a record may name anything; only a digest becomes a file name.
    if (!/^[A-Za-z0-9_-]{43}$/.test(thumbprint) || !existsSync(path)) return undefined
    return readPem(readFileSync(path, 'utf8'))
  }
}

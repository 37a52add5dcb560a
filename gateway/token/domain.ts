/** Domains: what keeps the tokens of one pair, purpose and kind apart from all others. @module */
import { hash, hkdfSync, type KeyObject } from 'node:crypto'
import type { Binding } from '../transform/transform.ts'
import type { MasterKey } from './ring.ts'

/** Who sent the value, who received its token, and for what. */
export interface Domain {
  readonly owner: string
  readonly holder: string
  readonly purpose: string
  readonly kind: string
}

/** What a domain key is for: one key never serves two algorithms. */
export type Use =
  'token' | 'encrypt' | 'format' | 'pseudonym-sha256' | 'pseudonym-sm3' | 'vault' | 'date-shift'

/** The domain of values that this message carries: its sender owns them. */
export function domainOf({ from, to, purpose, kind, direction }: Binding): Domain {
  const [owner, holder] = direction === 'request' ? [from, to] : [to, from]
  return { owner, holder, purpose, kind }
}

/** The domain of tokens that come home with this message: its receiver owns their values. */
export function homeDomainOf(binding: Binding): Domain {
  const { owner, holder, ...rest } = domainOf(binding)
  return { owner: holder, holder: owner, ...rest }
}

/** Derives a domain key: HKDF-SHA-256 (RFC 5869) of one master key version. */
export function deriveKey(master: MasterKey, domain: Domain, use: Use, bytes: number): Buffer {
  const { owner, holder, purpose, kind } = domain
  const parts = [use, owner, holder, purpose, kind, master.epoch, String(master.version)]
  return hkdf(master.key, Buffer.alloc(0), encodeParts(['sealgate/1', ...parts]), bytes)
}

/** HKDF-SHA-256 (RFC 5869); node bounds `info` at 1,024 bytes. */
export function hkdf(
  key: KeyObject | Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  bytes: number,
): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, info, bytes))
}

/** SHA-256 of the length-prefixed parts: no two lists of parts share an encoding. */
function encodeParts(parts: readonly string[]): Buffer {
  const encoded = parts.flatMap((part) => {
    const text = Buffer.from(part)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(text.length)
    return [length, text]
  })
  return hash('sha256', Buffer.concat(encoded), 'buffer')
}

/**
 * Vaulted tokens: random, so that equal values cannot be told apart; they end by themselves. The only
 * tokens for which something is stored, and that is encrypted. @module
 */
import { timingSafeEqual } from 'node:crypto'
import { deriveKey, type Domain } from './domain.ts'
import { toLetters } from './letters.ts'
import { TOKEN_VALUE_BYTES_MAX } from './limits.ts'
import type { KeyRing, MasterKey } from './ring.ts'
import { createSiv } from './siv.ts'
import { tokenPrefix, type TokenText } from './text.ts'

/** What the store keeps of one token: no part of it says anything without the ring's keys. */
export interface VaultRow {
  /** The token's letters. */
  readonly id: string
  readonly sealed: Uint8Array
  /** Milliseconds since the Unix epoch from which on the token is dead. */
  readonly expiresMs: number
  /** Whether the first reveal is the last. */
  readonly once: boolean
}

/** Where vaulted values are kept. */
export interface VaultStore {
  /** Resolves when durable: the token goes out next. */
  put(row: VaultRow, nowMs: number): Promise<void>
  /** A row that has not expired. */
  get(id: string, nowMs: number): Promise<VaultRow | undefined>
  /** Removes a row; of several callers one gets true. */
  remove(id: string): Promise<boolean>
}

/** What vaulted tokens need; `random` gives cryptographically strong bytes. */
export interface VaultPorts {
  readonly store: VaultStore
  readonly random: (bytes: number) => Uint8Array
  readonly nowMs: () => number
}

/** Mints and reveals in one domain. */
export interface Vault {
  /** @returns undefined when the value is too long or not well-formed Unicode. */
  mint(value: string): Promise<string | undefined>
  /** @returns undefined when the token is unknown, expired, used up or of another domain. */
  reveal(token: TokenText): Promise<string | undefined>
}

const ID_BYTES = 21
const SIV_KEY_BYTES = 64

/** Opens the vault for one domain. Rows of a retired key version can never be read again. */
export function createVault(
  ring: KeyRing,
  domain: Domain,
  ports: VaultPorts,
  life: { readonly ttlMs: number; readonly once: boolean },
): Vault {
  const { store, random, nowMs } = ports
  const sivOf = (master: MasterKey) => {
    const prefix = tokenPrefix('vlt', domain.kind, master.version)
    return createSiv(deriveKey(master, domain, 'vault', SIV_KEY_BYTES), Buffer.from(prefix))
  }
  const current = sivOf(ring.current)
  return {
    async mint(value) {
      if (!value.isWellFormed() || Buffer.byteLength(value) > TOKEN_VALUE_BYTES_MAX)
        return undefined
      const id = toLetters(random(ID_BYTES))
      // The id goes in too, so that rows cannot be swapped in the store.
      const sealed = current.seal(Buffer.from(id + value))
      const now = nowMs()
      await store.put({ id, sealed, expiresMs: now + life.ttlMs, once: life.once }, now)
      return tokenPrefix('vlt', domain.kind, ring.current.version) + id
    },
    async reveal({ form, kind, version, body }) {
      const master = ring.find(version)
      if (form !== 'vlt' || kind !== domain.kind || master === undefined) return undefined
      const row = await store.get(body, nowMs())
      if (row === undefined) return undefined
      const siv = version === ring.current.version ? current : sivOf(master)
      const plain = siv.open(row.sealed)
      if (plain === undefined) return undefined // A token of another domain is not used up by this.
      const id = Buffer.from(body)
      if (!timingSafeEqual(plain.subarray(0, id.length), id)) return undefined
      if (row.once && !(await store.remove(body))) return undefined
      return plain.subarray(id.length).toString('utf8')
    },
  }
}

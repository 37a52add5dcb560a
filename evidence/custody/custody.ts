/**
 * Custody: the originals of what was stripped and the secrets that open their commitments, readable
 * by one custodian alone. Destroying them leaves every record and the log as they were. @module
 */
import { CompactEncrypt, compactDecrypt, type CryptoKey, type JWK, importJWK } from 'jose'
import { createHash, randomBytes } from 'node:crypto'
import { Problem } from '../../base/problem.ts'
import { makeDisclosure, saltOf } from '../commitment.ts'
import { ERASED_PER_RECORD_MAX } from '../limits.ts'
import type { JsonObject } from '../draft.ts'
import type { Claim, RecordKind } from '../record.ts'
import { type Original, startOriginal } from './original.ts'
import type { CustodyStore, Side, Stored } from './store.ts'

/** What the recorder needs of custody. */
export interface Custody {
  /** A record secret that exists nowhere but in what is deposited; 32 bytes. */
  newSecret(): Buffer
  /** Resolves when the ciphertext is durable. */
  deposit(item: Stored & { part: Side }, secret: Buffer, claims: readonly Claim[]): Promise<void>
  /** Starts to keep a body that is too long for a claim. */
  keep(item: Stored, secret: Buffer): Original
}

/** Encrypts to a custodian's public key (RFC 7516, ECDH-ES on P-256 or X25519, A256GCM). */
export async function createCustody(store: CustodyStore, custodian: JWK): Promise<Custody> {
  const key = await importKey(custodian)
  return {
    newSecret: () => randomBytes(32),
    deposit: async (item, secret, claims) => {
      const { rid, part } = item
      const text = JSON.stringify({ rid, part, secret: secret.toString('base64url'), claims })
      const header = { alg: 'ECDH-ES', enc: 'A256GCM', ...(custodian.kid && { kid: custodian.kid }) } // prettier-ignore
      const jwe = new CompactEncrypt(Buffer.from(text)).setProtectedHeader(header)
      await store.put(item, await jwe.encrypt(key))
    },
    keep: (item, secret) => startOriginal(store, item, secret),
  }
}

/** What the custodian finds in one ciphertext. */
export interface Opened {
  readonly rid: string
  readonly part: Side
  /** The record's, from which salts and the keys of bodies are derived. */
  readonly secret: Buffer
  readonly claims: readonly Claim[]
  /** One disclosure per claim, each of which opens that claim alone. */
  readonly disclosures: readonly string[]
}

/** Opens a ciphertext with the custodian's private key. @throws {Problem} `key-unusable`. */
export async function openOriginal(jwe: string, custodian: JWK): Promise<Opened> {
  const options = { keyManagementAlgorithms: ['ECDH-ES'], contentEncryptionAlgorithms: ['A256GCM'] }
  const key = await importKey(custodian)
  const { plaintext } = await compactDecrypt(jwe, key, options).catch((cause: unknown) => {
    throw new Problem('key-unusable', 'the key does not open this custody file', { cause })
  })
  // INVARIANT: only `deposit` makes what decrypts; whoever else writes here knows no record secret.
  const { rid, part, secret, claims } = JSON.parse(Buffer.from(plaintext).toString()) as {
    rid: string
    part: Side
    secret: string
    claims: Claim[]
  }
  const bytes = Buffer.from(secret, 'base64url')
  const open = ({ name, json }: Claim) => makeDisclosure(saltOf(bytes, name), name, json)
  return { rid, part, secret: bytes, claims, disclosures: claims.map(open) }
}

async function importKey(jwk: JWK): Promise<CryptoKey> {
  const supported = jwk.crv === 'P-256' || jwk.crv === 'X25519'
  const key = supported ? await importJWK(jwk, 'ECDH-ES') : undefined
  if (key === undefined || key instanceof Uint8Array) {
    throw new Problem('key-unusable', 'a custodian\'s key is a JWK on P-256 or X25519') // prettier-ignore
  }
  return key
}

/** What keeping custody needs: the store, and the recorder's `note`. */
export interface KeeperPorts {
  readonly store: CustodyStore
  readonly note: (kind: RecordKind, facts: JsonObject) => Promise<string>
}

/** What was destroyed and what a hold kept. */
export interface Erased {
  readonly erased: readonly Stored[]
  readonly held: readonly Stored[]
}

/** Destroys the originals of one record. @param rule why, as the `erase` record names it. */
export async function erase(ports: KeeperPorts, rid: string, rule: string): Promise<Erased> {
  return eraseAll(ports, await ports.store.find(rid), rule)
}

/** Destroys what has outlived its retention. @param today `YYYY-MM-DD`. */
export async function eraseExpired(ports: KeeperPorts, today: string): Promise<Erased> {
  return eraseAll(ports, await ports.store.endedBefore(today), 'retention')
}

/**
 * The `erase` record is durable before anything is destroyed: a crash in between leaves a
 * ciphertext that the next run destroys, never a destruction that no record tells of.
 */
async function eraseAll(
  { store, note }: KeeperPorts,
  items: readonly Stored[],
  rule: string,
): Promise<Erased> {
  const keep = await Promise.all(items.map(({ rid }) => store.held(rid)))
  const erased = items.filter((_, index) => keep[index] === false)
  const held = items.filter((_, index) => keep[index] === true)
  for (let start = 0; start < erased.length; start += ERASED_PER_RECORD_MAX) {
    const batch = erased.slice(start, start + ERASED_PER_RECORD_MAX)
    const destroyed = await Promise.all(
      batch.map(async (item) => ({ record: item.rid, part: item.part, digest: await digestOf(store, item) })), // prettier-ignore
    )
    await note('erase', { rule, destroyed })
    for (const item of batch) await store.remove(item)
  }
  return { erased, held }
}

async function digestOf(store: CustodyStore, item: Stored): Promise<string> {
  const sha256 = createHash('sha256')
  for await (const bytes of store.read(item)) sha256.update(bytes)
  return sha256.digest('base64url')
}

/** Keeps a record's originals whatever asks for their erasure. The block comes before its record. */
export async function hold({ store, note }: KeeperPorts, rid: string, reason: string) {
  await store.setHold(rid)
  await note('hold', { record: rid, reason, state: 'set' })
}

/** Ends a hold. Its record comes before the block goes. */
export async function releaseHold({ store, note }: KeeperPorts, rid: string, reason: string) {
  await note('hold', { record: rid, reason, state: 'released' })
  await store.releaseHold(rid)
}

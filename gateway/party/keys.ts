/** A party's public keys: a JWKS (RFC 7517) from a file or over HTTPS. @module */
import { calculateJwkThumbprint, createLocalJWKSet, createRemoteJWKSet, exportJWK } from 'jose'
import type { CryptoKey, JSONWebKeySet, JWSHeaderParameters } from 'jose'
import { readFileSync } from 'node:fs'
import { ConfigFault } from '../fault.ts'
import { PARTY_LIMITS } from './party.ts'

/** Finds the key that a JWS header or a signature's parameters name. */
export type KeyFinder = (header: JWSHeaderParameters) => Promise<CryptoKey>

/**
 * Opens a key set.
 *
 * @param place an `https:` URL (`http:` on loopback only), or a file.
 * @throws {ConfigFault} when the file is missing or no key set of public keys.
 */
export function openKeys(place: string): KeyFinder {
  if (!/^https?:/.test(place)) return createLocalJWKSet(readKeySet(place))
  const url = new URL(place)
  if (url.protocol === 'http:' && !/^(?:127\.|localhost$|\[::1\]$)/.test(url.hostname)) {
    throw new ConfigFault(place, 'expected `https:` for a key set that is not on loopback')
  }
  const remote = createRemoteJWKSet(url, {
    timeoutDuration: PARTY_LIMITS.JWKS_TIMEOUT_MS,
    cooldownDuration: PARTY_LIMITS.JWKS_COOLDOWN_MS,
    cacheMaxAge: PARTY_LIMITS.JWKS_AGE_MAX_MS,
  })
  return (header) => remote(header)
}

function readKeySet(file: string): JSONWebKeySet {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const help = "put the party's public keys (JWKS) there, or correct `parties`"
    throw new ConfigFault(file, `the key set cannot be read; ${help}`, { cause })
  }
  let keys: unknown
  try {
    keys = (JSON.parse(text) as { keys?: unknown }).keys
  } catch (cause) {
    throw new ConfigFault(file, 'expected a JSON Web Key Set', { cause })
  }
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new ConfigFault(file, 'expected `{ "keys": [ … ] }` with at least one key')
  }
  for (const key of keys as Record<string, unknown>[]) {
    // A private key in a party's file means that the party gave its identity away.
    if (key === null || typeof key !== 'object' || 'd' in key || 'k' in key) {
      throw new ConfigFault(file, 'expected public keys only; ask the party for a new key pair')
    }
  }
  return { keys: keys as JSONWebKeySet['keys'] }
}

const thumbprints = new WeakMap<CryptoKey, Promise<string>>()

/** The RFC 7638 thumbprint of a key; worked out once per key. */
export function thumbprint(key: CryptoKey): Promise<string> {
  const known = thumbprints.get(key)
  if (known !== undefined) return known
  const made = exportJWK(key).then((jwk) => calculateJwkThumbprint(jwk, 'sha256'))
  thumbprints.set(key, made)
  return made
}

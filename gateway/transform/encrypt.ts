/** encrypt: the value under a key, the recipient's own or the domain's. @module */
import { CompactEncrypt, type JWK } from 'jose'
import { Problem } from '../../base/problem.ts'
import { domainOf } from '../token/domain.ts'
import { createMint } from '../token/opaque.ts'
import type { KeyRing } from '../token/ring.ts'
import { KEEP, replaceBy, toRefusal, toText } from './change.ts'
import { readParameters } from './parameters.ts'
import { TOO_LONG } from './tokenize.ts'
import type { TransformType } from './transform.ts'

/** Finds a party's public encryption key, when it has one; its `alg` is one of those below. */
export type RecipientKey = (party: string) => JWK | undefined

/** Algorithms of recipients' keys (RFC 7518 §4.1). */
export const ENCRYPTION_ALGORITHMS: readonly string[] = [
  'ECDH-ES',
  'ECDH-ES+A256KW',
  'RSA-OAEP-256',
]

/**
 * `{ encrypt: recipient }`: a compact JWE (RFC 7516) that the receiving party alone can open; equal
 * values look different each time. `{ encrypt: deterministic }`: AES-SIV, equal values look equal in
 * one domain; nobody but the gateway opens it, by `reveal`.
 */
export function createEncrypt(keys: KeyRing, recipientKey?: RecipientKey): TransformType {
  return (action, binding, complain) => {
    const parameters = readParameters(action, complain, 'for')
    const reader = parameters.choice('for', ['recipient', 'deterministic'])
    const domain = domainOf(binding)
    if (reader === 'deterministic') {
      return replaceBy(createMint(keys, domain, 'enc'), TOO_LONG)
    }
    const key = recipientKey?.(domain.holder)
    if (key === undefined) {
      const help = 'give the party `encryptTo: <JWK file>` in sealgate.yaml'
      complain(`\`${domain.holder}\` has no encryption key`, help)
      return () => toRefusal('no encryption key is configured')
    }
    return (value) => {
      if (value.type === 'null') return KEEP
      return { change: 'later', result: encryptTo(key, value.reveal()).then(toText) }
    }
  }
}

async function encryptTo(key: JWK, value: string): Promise<string> {
  const { alg = '', kid } = key
  if (!ENCRYPTION_ALGORITHMS.includes(alg)) throw new Problem('key-unusable', 'the recipient\'s key has no `alg` that is allowed') // prettier-ignore
  const header = { alg, enc: 'A256GCM', ...(kid === undefined ? {} : { kid }) }
  return new CompactEncrypt(Buffer.from(value)).setProtectedHeader(header).encrypt(key)
}

/** Transforms on keys that are thrown away: what policy tests and the officer's tools run on. @module */
import { SignJWT } from 'jose'
import { generateKeyPairSync } from 'node:crypto'
import { systemClock } from '../../base/clock.ts'
import { createDetect, surely } from '../guard/detect.ts'
import type { Kinds } from '../guard/kinds.ts'
import { throwawayKeyRing } from '../token/ring.ts'
import { openVaultStore } from '../token/vault-file.ts'
import type { Verifier, Verifiers } from '../transform/attest.ts'
import { createTransforms } from '../transform/table.ts'
import type { TransformTable } from '../transform/transform.ts'

/** Makes a complete table that touches no key, party or store in use; its verifiers say yes. */
export function createRehearsal(kinds: Kinds | undefined): TransformTable {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const recipient = { ...publicKey.export({ format: 'jwk' }), alg: 'ECDH-ES+A256KW' }
  return createTransforms({
    keys: throwawayKeyRing(),
    clock: systemClock,
    recipientKey: () => recipient,
    verifiers: createYesSayer(),
    vault: openVaultStore(':memory:'),
    ...(kinds === undefined
      ? {}
      : {
          detect: surely(createDetect(kinds)),
          defaultMask: (kind: string) => kinds.get(kind)?.mask,
        }),
  })
}

/** A verifier of every name, which is asked in memory and says yes. */
export function createYesSayer(): Verifiers {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const verifier: Verifier = {
    issuer: 'rehearsal',
    keys: () => publicKey,
    ask: ({ kind, audience, nonce }) =>
      new SignJWT({ kind, nonce, result: true })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer('rehearsal')
        .setAudience(audience)
        .setIssuedAt()
        .sign(privateKey),
  }
  return { get: () => verifier, keys: () => new Map<string, Verifier>().keys() }
}

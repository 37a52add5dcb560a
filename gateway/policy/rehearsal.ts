/** Transforms on keys that are thrown away: what policy tests and the officer's tools run on. @module */
import { generateKeyPairSync } from 'node:crypto'
import { systemClock } from '../../base/clock.ts'
import { createDetect } from '../guard/detect.ts'
import type { Kinds } from '../guard/kinds.ts'
import { throwawayKeyRing } from '../token/ring.ts'
import { openVaultStore } from '../token/vault-file.ts'
import { createTransforms } from '../transform/table.ts'
import type { TransformTable } from '../transform/transform.ts'

/** Makes a complete table that touches no key, party or store in use. */
export function createRehearsal(kinds: Kinds | undefined): TransformTable {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const recipient = { ...publicKey.export({ format: 'jwk' }), alg: 'ECDH-ES+A256KW' }
  return createTransforms({
    keys: throwawayKeyRing(),
    clock: systemClock,
    recipientKey: () => Promise.resolve(recipient),
    vault: openVaultStore(':memory:'),
    ...(kinds === undefined
      ? {}
      : {
          detect: createDetect(kinds),
          defaultMask: (kind: string) => kinds.get(kind)?.mask,
        }),
  })
}

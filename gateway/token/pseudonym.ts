/** Keyed pseudonyms: one-way, equal for equal values of one domain, unlinkable across domains. @module */
import { createHmac, type HmacAlgorithm, tagBytes } from '../../base/hmac.ts'
import { deriveKey, type Domain } from './domain.ts'
import { toLetters } from './letters.ts'
import { normalise } from './normalise.ts'
import type { KeyRing } from './ring.ts'
import { tokenPrefix } from './text.ts'

const KEY_BYTES = 32
/** Of the 32-byte tag (RFC 2104 §5 allows half): whole blocks of letters. */
const TAG_BYTES = 21

/** Prepares pseudonyms of one domain, made with the ring's current key. */
export function createPseudonym(
  ring: KeyRing,
  domain: Domain,
  algorithm: HmacAlgorithm,
): (value: string) => string {
  const hmac = createHmac(
    algorithm,
    deriveKey(ring.current, domain, `pseudonym-${algorithm}`, KEY_BYTES),
  )
  const prefix = tokenPrefix('psn', domain.kind, ring.current.version)
  return (value) =>
    prefix +
    toLetters(tagBytes(hmac(normalise(domain.kind, value), 'latin1')).subarray(0, TAG_BYTES))
}

/** Link pseudonyms: what joins the evidence records of one case. @module */
import { createHmac, type Hmac, tagBytes } from '../../base/hmac.ts'
import { hkdf } from './domain.ts'
import { toLetters } from './letters.ts'
import type { KeyRing } from './ring.ts'

const KEY_BYTES = 32
const TAG_BYTES = 21
const HMACS = new WeakMap<KeyRing, Map<string, Hmac>>()

/**
 * Makes the pseudonym under which records of one case are found: equal on every route, in both
 * directions and after each rotation, since the link's name and the installation alone key it. It
 * stands in evidence records only and never leaves with a relay.
 *
 * @param name a link's name as a policy spells it; the keys of all names met are kept.
 */
export function linkPseudonym(ring: KeyRing, name: string, value: string): string {
  const hmacs = HMACS.get(ring) ?? new Map<string, Hmac>()
  let hmac = hmacs.get(name)
  if (hmac === undefined) {
    const key = hkdf(ring.links, Buffer.alloc(0), Buffer.from(`sealgate/1 link ${name}`), KEY_BYTES)
    hmac = createHmac('sha256', key)
    HMACS.set(ring, hmacs.set(name, hmac))
  }
  return `lnk_${toLetters(tagBytes(hmac(value, 'latin1')).subarray(0, TAG_BYTES))}`
}

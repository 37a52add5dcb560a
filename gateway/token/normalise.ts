/** One spelling for values that are compared and never come back: pseudonyms and hashes. @module */

/** Kinds written with letters whose case does not matter. */
const CASELESS = new Set([
  'resident-id',
  'passport',
  'plate',
  'email',
  'uscc',
  'travel-permit',
  'vin',
  'hkid',
  'twid',
])

/**
 * Makes equal what people write differently: full-width digits, outer spaces, and by kind case,
 * separators and the country code.
 */
export function normalise(kind: string, value: string): string {
  const text = value.normalize('NFKC').trim()
  if (kind === 'mobile') return text.replace(/[\s-]/g, '').replace(/^(?:\+|00)86/, '')
  if (kind === 'bank-card') return text.replace(/[\s-]/g, '')
  return CASELESS.has(kind) ? text.toUpperCase() : text
}

/** What is weak about an envelope. Partners still use it, so somebody signs for it, and it is said. @module */
import type { EnvelopeConfig } from './config.ts'

/** One row per weakness: numbers and names are public, add rows, never reuse one. */
// prettier-ignore
export const WEAKNESSES = {
  'zero-iv':         { code: 'E101', what: 'equal bodies give equal texts: the initialisation vector is zero' },
  'fixed-iv':        { code: 'E102', what: 'equal bodies give equal texts: the initialisation vector is always the same' },
  'ecb':             { code: 'E103', what: 'equal blocks give equal texts: ECB' },
  'md5':             { code: 'E104', what: 'two bodies can be made that MD5 takes for one' },
  'pkcs1-v1.5':      { code: 'E105', what: 'RSA PKCS#1 v1.5 encryption lets a patient caller decrypt what it recorded' },
  'unauthenticated': { code: 'E106', what: 'nothing authenticates the encrypted body, so it can be changed and probed' },
  'sha1':            { code: 'E107', what: 'two bodies can be made that SHA-1 takes for one' },
} as const
export type Weakness = keyof typeof WEAKNESSES

/** The names, in the order of their numbers. */
export const WEAKNESS_NAMES = Object.keys(WEAKNESSES) as [Weakness, ...Weakness[]]

/** Lists what is weak, in the order of the table. */
export function weaknessesOf(
  envelope: Pick<EnvelopeConfig, 'cipher' | 'sign' | 'headers'>,
): readonly Weakness[] {
  const { cipher, sign, headers } = envelope
  const has: Readonly<Record<Weakness, boolean>> = {
    'zero-iv': cipher?.iv.place === 'zero',
    'fixed-iv': cipher?.iv.place === 'fixed',
    ecb: cipher?.algorithm.endsWith('-ecb') === true,
    md5: sign?.algorithm === 'md5' || headers !== undefined,
    'pkcs1-v1.5': cipher?.key.from === 'wrap' && cipher.key.wrap.algorithm === 'rsa-pkcs1',
    unauthenticated:
      cipher !== undefined &&
      !cipher.algorithm.endsWith('-gcm') &&
      sign === undefined &&
      headers === undefined,
    sha1: sign?.algorithm === 'rsa-sha1',
  }
  return WEAKNESS_NAMES.filter((name) => has[name])
}

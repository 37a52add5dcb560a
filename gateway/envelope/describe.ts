/** What a record says of an envelope: how it is made, and no key. @module */
import { cipherType } from './block-cipher.ts'
import type { EnvelopeConfig } from './config.ts'

/** How an envelope is made: `json, aes-256-cbc, iv zero, hmac-sha256 over sorted`. */
export function describeEnvelope({ json, cipher, sign, headers, jose }: EnvelopeConfig): string {
  return [
    json === undefined ? [] : ['json'],
    cipher === undefined ? [] : [cipher.algorithm],
    cipher === undefined || cipherType(cipher.algorithm).ivBytes === 0
      ? []
      : [`iv ${cipher.iv.place}`],
    cipher?.key.from === 'wrap' ? [`key by ${cipher.key.wrap.algorithm}`] : [],
    sign === undefined ? [] : [`${sign.algorithm} over ${sign.over}`],
    jose?.jwe === undefined ? [] : [`JWE ${jose.jwe.algorithm} ${jose.jwe.encryption}`],
    jose?.jws === undefined ? [] : [`JWS ${jose.jws.algorithm}`],
    headers === undefined ? [] : ['X-Ca HMAC-SHA256 over Content-MD5'],
  ]
    .flat()
    .join(', ')
}

/** Verifies message signatures (RFC 9421 §3.2). @module */
import { type KeyObject, constants, verify as verifyBytes } from 'node:crypto'
import { type InnerList, isInnerList, parseDictionary } from 'structured-headers'
import { Problem } from '../../base/problem.ts'
import { type SignedMessage, signatureBase } from './base.ts'

/** Algorithms of RFC 9421 §6.2 that prove an origin; shared secrets do not. */
export type SignatureAlgorithm =
  'ed25519' | 'ecdsa-p256-sha256' | 'rsa-pss-sha512' | 'rsa-v1_5-sha256'

/** One member of `Signature-Input` with its signature. Attacker-controlled until verified. */
export interface PresentedSignature {
  readonly label: string
  readonly covered: InnerList
  readonly signature: Uint8Array
}

/**
 * Reads the one signature that both fields carry.
 *
 * @throws {Problem} `credentials-invalid` when the fields do not fit together.
 */
export function readSignature(input: string, signatures: string): PresentedSignature {
  const members = parseMembers(input)
  const [only] = members
  // Which of several signatures counts would be a guess.
  if (members.size !== 1 || only === undefined) throw invalid('expected exactly one signature')
  const [label, covered] = only
  const item = parseMembers(signatures).get(label)
  if (!isInnerList(covered) || item === undefined || isInnerList(item)) {
    throw invalid('`signature-input` and `signature` do not fit together')
  }
  if (!(item[0] instanceof ArrayBuffer)) throw invalid('expected the signature as a byte sequence')
  return { label, covered, signature: new Uint8Array(item[0]) }
}

function parseMembers(value: string): ReturnType<typeof parseDictionary> {
  try {
    return parseDictionary(value)
  } catch (cause) {
    throw invalid('expected `signature-input` and `signature` as dictionaries', cause)
  }
}

/** Whether the signature is right for this message under this key. */
export function verifySignature(
  message: SignedMessage,
  { covered, signature }: Pick<PresentedSignature, 'covered' | 'signature'>,
  algorithm: SignatureAlgorithm,
  key: KeyObject,
): boolean {
  const base = Buffer.from(signatureBase(message, covered), 'utf8')
  switch (algorithm) {
    case 'ed25519':
      return verifyBytes(null, base, key, signature)
    case 'ecdsa-p256-sha256':
      return verifyBytes('sha256', base, { key, dsaEncoding: 'ieee-p1363' }, signature)
    case 'rsa-pss-sha512': {
      const padding = constants.RSA_PKCS1_PSS_PADDING
      return verifyBytes('sha512', base, { key, padding, saltLength: 64 }, signature)
    }
    case 'rsa-v1_5-sha256':
      return verifyBytes('sha256', base, key, signature)
  }
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('credentials-invalid', detail, cause === undefined ? {} : { cause })
}

/** RFC 3161 requests (§2.4.1), both sides. @module */
import { randomBytes } from 'node:crypto'
import * as asn1 from 'asn1js'
import * as pkijs from 'pkijs'
import { parseDer, toBuffer } from '../der.ts'
import { type DigestName, DIGESTS } from './token.ts'

/** What is asked of an authority. */
export interface TimestampRequest {
  /** Object identifier of the digest algorithm. */
  readonly algorithm: string
  readonly digest: Uint8Array
  readonly nonce?: bigint
  readonly policy?: string
  /** Whether the token shall carry its certificate. */
  readonly certificates: boolean
}

const DIGEST_BYTES = { 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64, SM3: 32 } as const

/** Asks for a token over a digest: with a fresh 64-bit nonce, and certificates included. */
export function makeRequest(
  name: DigestName,
  digest: Uint8Array,
  policy?: string,
): TimestampRequest {
  return {
    algorithm: [...DIGESTS].find(([, each]) => each === name)?.[0] ?? '',
    digest,
    nonce: randomBytes(8).readBigUInt64BE(),
    ...(policy === undefined ? {} : { policy }),
    certificates: true,
  }
}

/** TimeStampReq, DER. */
export function encodeRequest(request: TimestampRequest): Uint8Array {
  const { policy, nonce } = request
  const req = new pkijs.TimeStampReq({
    version: 1,
    messageImprint: new pkijs.MessageImprint({
      hashAlgorithm: new pkijs.AlgorithmIdentifier({ algorithmId: request.algorithm }),
      hashedMessage: new asn1.OctetString({ valueHex: toBuffer(request.digest) }),
    }),
    ...(policy === undefined ? {} : { reqPolicy: policy }),
    ...(nonce === undefined ? {} : { nonce: asn1.Integer.fromBigInt(nonce) }),
    ...(request.certificates ? { certReq: true } : {}),
  })
  return new Uint8Array(req.toSchema().toBER())
}

/** @throws {Error} when the bytes are not a request that an authority can serve. */
export function parseRequest(der: Uint8Array): TimestampRequest {
  parseDer(der)
  const req = pkijs.TimeStampReq.fromBER(toBuffer(der))
  const { hashAlgorithm, hashedMessage } = req.messageImprint
  const name = DIGESTS.get(hashAlgorithm.algorithmId)
  const digest = new Uint8Array(hashedMessage.valueBlock.valueHexView)
  if (req.version !== 1) throw new Error('expected version 1')
  if (req.extensions !== undefined) throw new Error('expected no extensions')
  if (name === undefined || digest.length !== DIGEST_BYTES[name]) {
    throw new Error('expected a SHA-2 or SM3 digest')
  }
  return {
    algorithm: hashAlgorithm.algorithmId,
    digest,
    ...(req.nonce === undefined ? {} : { nonce: req.nonce.toBigInt() }),
    ...(req.reqPolicy === undefined ? {} : { policy: req.reqPolicy }),
    certificates: req.certReq ?? false,
  }
}

/** Verifying RFC 3161 tokens, offline and years later. Pure; WebCrypto only. @module */
import * as pkijs from 'pkijs'
import { verifyChain } from '../certificate.ts'
import { type Der, takeAlgorithm, takeContent, takeOid, takeParts, toBuffer } from '../der.ts'
import { sm3 } from '../crypto.ts'
import { SM2_SIGN, SM2_WITH_SM3 } from '../gm/sm2.ts'
import { CERTIFICATES_MAX, equalBytes, OID, parseCertificate } from '../x509-profile.ts'
import { isSignedBy } from '../x509-signature.ts'
import {
  type DigestName,
  DIGESTS,
  parseToken,
  type Token,
  TOKEN_OID,
  tokenOfResponse,
  type TokenInfo,
  type TokenSigner,
} from './token.ts'

/** Whom a verifier believes about time. */
export interface TimestampTrust {
  readonly roots: readonly Uint8Array[]
  /** More certificates for the path; those in the token are used anyway. */
  readonly untrusted?: readonly Uint8Array[]
  /** The nonce that was sent; checked where given. */
  readonly nonce?: bigint
  /** The policy that was asked for; checked where given. */
  readonly policy?: string
  /** When the token must have been trustworthy: its own time, unless a later token renews it. */
  readonly at?: Date
  /** Looked at when given: see verifyChain. */
  readonly revocationLists?: readonly Uint8Array[]
}

/** `valid` exactly when there are no `reasons`; `info` is what the token says, true or not. */
export interface TimestampResult {
  readonly valid: boolean
  readonly reasons: readonly string[]
  readonly info?: TokenInfo
  /** Leaf to root, DER. */
  readonly chain: readonly Uint8Array[]
  /** A self-made authority: the time is untrusted, 非依法设立的时间戳服务机构签发. */
  readonly development: boolean
}

/** The digest that a token must stamp, by this algorithm; undefined when there is none. */
export type Imprint = (name: DigestName) => Promise<Uint8Array | undefined>

/**
 * Verifies a stored response over the data that it stamps. Never throws on hostile bytes.
 *
 * @param response the bytes of a `.tsr` file, as the authority sent them.
 */
export async function verifyTimestampResponse(
  response: Uint8Array,
  data: Uint8Array,
  trust: TimestampTrust,
): Promise<TimestampResult> {
  return verifyResponseImprint(response, (name) => digest(name, data), trust)
}

/** Verifies a response over a digest. Never throws on hostile bytes. */
export async function verifyResponseImprint(
  response: Uint8Array,
  imprint: Imprint,
  trust: TimestampTrust,
): Promise<TimestampResult> {
  try {
    return await verifyTokenImprint(tokenOfResponse(response), imprint, trust)
  } catch (error) {
    return refusal(error)
  }
}

/** Verifies a bare token (ContentInfo) over a digest. Never throws on hostile bytes. */
export async function verifyTokenImprint(
  token: Uint8Array,
  imprint: Imprint,
  trust: TimestampTrust,
): Promise<TimestampResult> {
  try {
    const parsed = parseToken(token) // Attacker-controlled: all of it, until the signature holds.
    const { info } = parsed
    const name = DIGESTS.get(info.algorithm)
    const wanted = name === undefined ? undefined : await imprint(name)
    const { reasons, chain, development } = await verifySigned(parsed, trust)
    const all = [
      ...(wanted === undefined ? [`the digest algorithm ${info.algorithm} is not accepted`] : []),
      ...(wanted === undefined || equalBytes(wanted, info.digest)
        ? []
        : ['the token stamps other data']),
      ...(trust.nonce === undefined || trust.nonce === info.nonce
        ? []
        : ['the token answers another request (nonce)']),
      ...(trust.policy === undefined || trust.policy === info.policy
        ? []
        : [`the token has policy ${info.policy}, expected ${trust.policy}`]),
      ...reasons,
    ]
    return { valid: all.length === 0, reasons: all, info, chain, development }
  } catch (error) {
    return refusal(error)
  }
}

interface Signed {
  readonly reasons: readonly string[]
  readonly chain: readonly Uint8Array[]
  readonly development: boolean
}

/** RFC 5652 §5.6 and RFC 5816: signature first, then attributes and path. */
async function verifySigned(token: Token, trust: TimestampTrust): Promise<Signed> {
  const { signer, info } = token
  const unsigned = (reason: string): Signed => ({
    reasons: [reason],
    chain: [],
    development: false,
  })
  const pool = [...token.certificates, ...(trust.untrusted ?? [])]
  if (pool.length > CERTIFICATES_MAX) return unsigned(`more than ${CERTIFICATES_MAX} certificates`)
  const leafDer = pool.find((der) => isSigner(signer, parseCertificate(der)))
  if (leafDer === undefined) return unsigned("the signer's certificate is missing")
  const hash = DIGESTS.get(signer.digestAlgorithm)
  if (hash === undefined) return unsigned("the signer's digest algorithm is not accepted")
  if (!(await isSigned(signer, parseCertificate(leafDer), hash))) {
    return unsigned("the token's signature is wrong")
  }
  const attributes = await attributeFindings(token, leafDer, hash)
  const { reasons, chain, development } = await verifyChain({
    leafDer,
    intermediates: pool,
    roots: trust.roots,
    at: trust.at ?? info.time,
    purpose: 'timestamp',
    ...(trust.revocationLists === undefined ? {} : { revocationLists: trust.revocationLists }),
  })
  return { reasons: [...attributes, ...reasons], chain, development }
}

/** RFC 5652 §10.2.4: issuer and serial number, byte for byte. */
export function isSigner({ issuer, serial }: TokenSigner, certificate: pkijs.Certificate): boolean {
  const own = certificate.serialNumber.toBigInt()
  return own === serial && equalBytes(issuer, new Uint8Array(certificate.issuer.valueBeforeDecode))
}

/** RFC 5652 §11.1, §11.2 and RFC 5816: what the signature must cover. */
async function attributeFindings(
  { signer, content }: Token,
  leafDer: Uint8Array,
  hash: DigestName,
): Promise<string[]> {
  const type = signer.attributes.get(TOKEN_OID.contentType)
  const messageDigest = signer.attributes.get(TOKEN_OID.messageDigest)
  const signing = signer.attributes.get(TOKEN_OID.signingCertificateV2)
  const wanted = await digest(hash, content)
  return [
    ...(type !== undefined && takeOid(type) === TOKEN_OID.tstInfo
      ? []
      : ['the signed content type is not TSTInfo']),
    ...(messageDigest !== undefined && equalBytes(takeContent(messageDigest, 0x04), wanted)
      ? []
      : ['the signed digest is of other content']),
    ...(signing !== undefined && (await isCertificateId(signing, leafDer))
      ? []
      : ['the token does not name its certificate (ESSCertIDv2)']),
  ]
}

/** RFC 5035 §4: the first ESSCertIDv2 is the signer's certificate; SHA-256 unless it says else. */
async function isCertificateId(signing: Der, leafDer: Uint8Array): Promise<boolean> {
  const [ids] = takeParts(signing, 0x30, 1, 2)
  const [id] = takeParts(ids, 0x30, 1, CERTIFICATES_MAX)
  const parts = takeParts(id, 0x30, 1, 3)
  const explicit = parts[0]?.tag === 0x30
  const name = explicit ? DIGESTS.get(takeAlgorithm(parts[0])) : 'SHA-256'
  if (name === undefined) return false
  return equalBytes(takeContent(parts[explicit ? 1 : 0], 0x04), await digest(name, leafDer))
}

async function isSigned(
  { signatureAlgorithm, signature, signedBytes: bytes }: TokenSigner,
  { subjectPublicKeyInfo: key }: pkijs.Certificate,
  hash: DigestName,
): Promise<boolean> {
  // Some authorities write SM2 as a key algorithm where the signature algorithm belongs.
  const algorithmId = signatureAlgorithm === SM2_SIGN ? SM2_WITH_SM3 : signatureAlgorithm
  const algorithm = new pkijs.AlgorithmIdentifier({ algorithmId })
  if (algorithmId === SM2_WITH_SM3) {
    return hash === 'SM3' && isSignedBy({ key, bytes, signature, algorithm })
  }
  // Some authorities write the key's algorithm here and leave the digest to digestAlgorithm.
  const named =
    signatureAlgorithm === OID.rsaEncryption
      ? hash
      : pkijs.getCrypto(true).getHashAlgorithm(algorithm)
  return named === hash && isSignedBy({ key, bytes, signature, algorithm, hash })
}

/** The digest of bytes. */
export async function digest(name: DigestName, bytes: Uint8Array): Promise<Uint8Array> {
  if (name === 'SM3') return sm3(bytes)
  return new Uint8Array(await crypto.subtle.digest(name, toBuffer(bytes)))
}

/** The libraries throw plain errors on malformed input, and the input is hostile by assumption. */
function refusal(error: unknown): TimestampResult {
  const why = error instanceof Error ? error.message : String(error)
  return { valid: false, reasons: [`not a time stamp: ${why}`], chain: [], development: false }
}

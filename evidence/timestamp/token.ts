/**
 * Reading RFC 3161 responses and tokens (RFC 5652 SignedData), by hand: the library's schemas cost
 * 10 ms and let tags and versions pass that nothing else protects. Nothing here is verified: see
 * verify.ts. Portable. @module
 */
import {
  type Der,
  parseDer,
  takeAlgorithm,
  takeContent,
  takeInteger,
  takeOid,
  takeParts,
} from '../der.ts'

/** Bytes of one response; tokens with a chain have 1 to 8 kB. */
export const RESPONSE_BYTES_MAX = 65_536
const ATTRIBUTES_MAX = 32

// prettier-ignore
export const TOKEN_OID = {
  signedData:           '1.2.840.113549.1.7.2',
  tstInfo:              '1.2.840.113549.1.9.16.1.4',
  contentType:          '1.2.840.113549.1.9.3',
  messageDigest:        '1.2.840.113549.1.9.4',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
} as const

/** SignedData of GM/T 0010, as some Chinese authorities write it. */
const GM_SIGNED_DATA = '1.2.156.10197.6.1.4.2.2'

export type DigestName = 'SHA-256' | 'SHA-384' | 'SHA-512' | 'SM3'

/** Digest algorithms that a token may use; those of SHA-2 by their WebCrypto names. */
export const DIGESTS: ReadonlyMap<string, DigestName> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'SHA-256'],
  ['2.16.840.1.101.3.4.2.2', 'SHA-384'],
  ['2.16.840.1.101.3.4.2.3', 'SHA-512'],
  ['1.2.156.10197.1.401', 'SM3'],
])

/** What a token says (RFC 3161 §2.4.2). */
export interface TokenInfo {
  readonly policy: string
  readonly serial: bigint
  /** Whole milliseconds; a finer fraction is cut. */
  readonly time: Date
  readonly accuracyMs?: number
  readonly nonce?: bigint
  /** Object identifier of the digest algorithm. */
  readonly algorithm: string
  readonly digest: Uint8Array
}

/** The one SignerInfo of a token (RFC 5652 §5.3). */
export interface TokenSigner {
  /** DER of the issuer's name, and the serial number. */
  readonly issuer: Uint8Array
  readonly serial: bigint
  readonly digestAlgorithm: string
  readonly signatureAlgorithm: string
  readonly signature: Uint8Array
  /** What is signed: the attributes with the tag of a SET (§5.4). */
  readonly signedBytes: Uint8Array
  /** Type → its single value. */
  readonly attributes: ReadonlyMap<string, Der>
}

/** A parsed token. */
export interface Token {
  readonly info: TokenInfo
  /** DER of TSTInfo: what messageDigest covers. */
  readonly content: Uint8Array
  readonly signer: TokenSigner
  /** DER, as they came. */
  readonly certificates: readonly Uint8Array[]
}

/**
 * Takes the token out of a response.
 *
 * @throws {Error} when the response is malformed or refuses; the message says which.
 */
export function tokenOfResponse(response: Uint8Array): Uint8Array {
  if (response.length > RESPONSE_BYTES_MAX) {
    throw new Error(`the response has over ${RESPONSE_BYTES_MAX} bytes`)
  }
  const [statusInfo, token] = takeParts(parseDer(response), 0x30, 1, 2)
  const status = takeInteger(takeParts(statusInfo, 0x30, 1, 3)[0])
  // RFC 3161 §2.4.2: 0 is granted; grantedWithMods is not what was asked for.
  if (status !== 0n) throw new Error(`the authority refuses with status ${status}`)
  if (token === undefined) throw new Error('expected a token in the response')
  return token.raw
}

/** @throws {Error} when the bytes are not one token with one signer. */
export function parseToken(der: Uint8Array): Token {
  const [type, wrapped] = takeParts(parseDer(der), 0x30, 2)
  if (takeOid(type) !== GM_SIGNED_DATA) expectOid(type, TOKEN_OID.signedData)
  const parts = takeParts(takeParts(wrapped, 0xa0, 1)[0], 0x30, 4, 6)
  const [version, digestAlgorithms, encapsulated] = parts
  // RFC 5652 §5.1: 3, as the content is not id-data.
  if (takeInteger(version) !== 3n) throw new Error('expected SignedData of version 3')
  const [contentType, explicit] = takeParts(encapsulated, 0x30, 2)
  expectOid(contentType, TOKEN_OID.tstInfo)
  const content = takeContent(takeParts(explicit, 0xa0, 1)[0], 0x04)
  const optional = parts.slice(3, -1)
  if (!/^(160)?,?(161)?$/.test(optional.map(({ tag }) => tag).join())) {
    throw new Error('expected certificates and revocation lists only')
  }
  const certificates = optional.find(({ tag }) => tag === 0xa0)
  const signer = parseSigner(takeParts(parts.at(-1), 0x31, 1)[0])
  if (takeAlgorithm(takeParts(digestAlgorithms, 0x31, 1)[0]) !== signer.digestAlgorithm) {
    throw new Error("expected the signer's digest algorithm")
  }
  return {
    info: parseInfo(content),
    content,
    signer,
    certificates:
      certificates === undefined ? [] : allParts(certificates, 0xa0).map(({ raw }) => raw),
  }
}

function parseSigner(value: Der | undefined): TokenSigner {
  const [version, sid, digest, attributes, algorithm, signature, unsigned] = takeParts(
    value,
    0x30,
    6,
    7,
  )
  // §5.3: 1, as the signer is named by issuer and serial number.
  if (takeInteger(version) !== 1n) throw new Error('expected SignerInfo of version 1')
  if (unsigned !== undefined) allParts(unsigned, 0xa1)
  const [issuer, serial] = takeParts(sid, 0x30, 2)
  if (attributes === undefined || issuer === undefined) throw new Error('expected attributes')
  const signedBytes = Uint8Array.from(attributes.raw)
  const rows = allParts(attributes, 0xa0).map((attribute): [string, Der] => {
    const [type, values] = takeParts(attribute, 0x30, 2)
    const [only] = takeParts(values, 0x31, 1)
    if (only === undefined) throw new Error('expected an attribute value')
    return [takeOid(type), only]
  })
  if (new Set(rows.map(([type]) => type)).size !== rows.length) {
    throw new Error('expected each signed attribute once')
  }
  signedBytes[0] = 0x31
  return {
    issuer: issuer.raw,
    serial: takeInteger(serial),
    digestAlgorithm: takeAlgorithm(digest),
    signatureAlgorithm: takeAlgorithm(algorithm),
    signature: takeContent(signature, 0x04),
    signedBytes,
    attributes: new Map(rows),
  }
}

/** TSTInfo; its optional parts differ in tag, so that each is found by it. */
function parseInfo(der: Uint8Array): TokenInfo {
  const [version, policy, imprint, serial, genTime, ...optional] = takeParts(
    parseDer(der),
    0x30,
    5,
    10,
  )
  if (takeInteger(version) !== 1n) throw new Error('expected TSTInfo of version 1')
  const [algorithm, digest] = takeParts(imprint, 0x30, 2)
  const find = (tag: number) => optional.find((part) => part.tag === tag)
  const accuracy = find(0x30)
  const nonce = find(0x02)
  const extensions = find(0xa1)
  for (const extension of extensions === undefined ? [] : allParts(extensions, 0xa1)) {
    const critical = takeParts(extension, 0x30, 2, 3).find(({ tag }) => tag === 0x01)
    if (critical !== undefined) throw new Error('unknown critical extension in TSTInfo')
  }
  return {
    policy: takeOid(policy),
    serial: takeInteger(serial),
    time: parseTime(takeContent(genTime, 0x18)),
    ...(accuracy === undefined ? {} : { accuracyMs: parseAccuracy(accuracy) }),
    ...(nonce === undefined ? {} : { nonce: takeInteger(nonce) }),
    algorithm: takeAlgorithm(algorithm),
    digest: takeContent(digest, 0x04),
  }
}

/** §2.4.2: GeneralizedTime in UTC, with seconds, and no trailing zeros in the fraction. */
function parseTime(content: Uint8Array): Date {
  const text = String.fromCharCode(...content)
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d*[1-9]))?Z$/.exec(text)
  const [, year, month, day, hour, minute, second, fraction = ''] = match ?? []
  const millis = fraction.slice(0, 3).padEnd(3, '0')
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${millis}Z`
  const time = new Date(iso)
  // A day such as 30 February would silently become another day.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso) {
    throw new Error('expected genTime in UTC')
  }
  return time
}

/** Seconds, then milliseconds and microseconds with their context tags. */
function parseAccuracy(value: Der): number {
  const units = new Map([
    [0x02, 1000],
    [0x80, 1],
    [0x81, 0.001],
  ])
  return takeParts(value, 0x30, 0, 3).reduce((total, part) => {
    const number = part.content.reduce((sum, byte) => sum * 256 + byte, 0)
    return total + number * (units.get(part.tag) ?? Number.NaN)
  }, 0)
}

function allParts(value: Der, tag: number): readonly Der[] {
  return takeParts(value, tag, 0, ATTRIBUTES_MAX)
}

function expectOid(value: Der | undefined, id: string): void {
  if (takeOid(value) !== id) throw new Error(`expected the object identifier ${id}`)
}

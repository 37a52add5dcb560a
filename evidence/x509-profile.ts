/** The certificate profile (RFC 5280): identifiers, limits and strict reading. Portable. @module */
import * as pkijs from 'pkijs'
import { Problem } from '../base/problem.ts'
import { parseDer, toBuffer } from './der.ts'
import { remember } from './memo.ts'

/** Most bytes of one certificate. */
const CERTIFICATE_BYTES_MAX = 16_384
/** Most certificates offered for one path. */
export const CERTIFICATES_MAX = 32

/**
 * The organisation that a self-made authority names as itself. Reports look for it to say
 * 非依法设立的电子认证服务提供者签发 (电子签名法 Art. 16).
 */
export const DEVELOPMENT_ORGANIZATION = 'Sealgate development authority, not a licensed CA'

// prettier-ignore
export const OID = {
  commonName:        '2.5.4.3',
  country:           '2.5.4.6',
  organization:      '2.5.4.10',
  subjectKeyId:      '2.5.29.14',
  keyUsage:          '2.5.29.15',
  basicConstraints:  '2.5.29.19',
  authorityKeyId:    '2.5.29.35',
  extKeyUsage:       '2.5.29.37',
  timeStamping:      '1.3.6.1.5.5.7.3.8',
  ecPublicKey:       '1.2.840.10045.2.1',
  rsaEncryption:     '1.2.840.113549.1.1.1',
  ecdsaWithSha256:   '1.2.840.10045.4.3.2',
} as const

/** Bits of the first octet of KeyUsage (RFC 5280 §4.2.1.3). */
// prettier-ignore
export const KEY_USAGE = {
  digitalSignature: 0x80,
  nonRepudiation:   0x40,
  keyCertSign:      0x04,
  crlSign:          0x02,
} as const

/** Signature algorithms that a certificate, token or CRL may carry; SHA-1 is not among them. */
// prettier-ignore
export const SIGNATURE_ALGORITHMS: ReadonlySet<string> = new Set([
  '1.2.840.10045.4.3.2', '1.2.840.10045.4.3.3', '1.2.840.10045.4.3.4',          // ECDSA with SHA-2
  '1.2.840.113549.1.1.11', '1.2.840.113549.1.1.12', '1.2.840.113549.1.1.13',    // RSA PKCS#1 with SHA-2
  '1.2.156.10197.1.501',                                                        // SM2 with SM3
])

/** What readers of a certificate need to know about it. */
export interface CertificateInfo {
  readonly subject: string
  readonly issuer: string
  /** Lower-case hex. */
  readonly serial: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /** Issued by, or itself, a self-made authority. */
  readonly development: boolean
}

/** @throws {Problem} `key-unusable` when the bytes are not one certificate. */
export function readCertificate(der: Uint8Array): CertificateInfo {
  const certificate = parseCertificate(der)
  return {
    subject: nameText(certificate.subject),
    issuer: nameText(certificate.issuer),
    serial: hex(certificate.serialNumber.valueBlock.valueHexView),
    notBefore: certificate.notBefore.value,
    notAfter: certificate.notAfter.value,
    spki: new Uint8Array(certificate.subjectPublicKeyInfo.toSchema().toBER()),
    development: isDevelopment(certificate.issuer),
  }
}

/** Parsed certificates: the library takes a millisecond, and a dossier asks for the same ones again and again. */
const parsed = new Map<string, pkijs.Certificate>()
const PARSED_MAX = 256

/**
 * Parses a certificate. The result is shared: it is for reading only.
 *
 * @throws {Problem} `key-unusable` when the bytes are not exactly one X.509 v3 certificate.
 */
export function parseCertificate(der: Uint8Array): pkijs.Certificate {
  const key = Buffer.from(der.buffer, der.byteOffset, der.length).toString('latin1')
  return parsed.get(key) ?? remember(parsed, PARSED_MAX, key, parseAnew(der))
}

function parseAnew(der: Uint8Array): pkijs.Certificate {
  try {
    if (der.length > CERTIFICATE_BYTES_MAX) throw new Error(`over ${CERTIFICATE_BYTES_MAX} bytes`)
    parseDer(der) // The library reads the rest, and more leniently.
    return pkijs.Certificate.fromBER(toBuffer(der))
  } catch (cause) {
    throw new Problem('key-unusable', 'expected one DER certificate', { cause })
  }
}

/** Whether a name is that of a self-made authority. */
export function isDevelopment(name: pkijs.RelativeDistinguishedNames): boolean {
  return name.typesAndValues.some(
    ({ type, value }) =>
      type === OID.organization && value.valueBlock.value === DEVELOPMENT_ORGANIZATION,
  )
}

/** Distinguished name for people: `CN=…, O=…, C=…`, most specific first. */
export function nameText(name: pkijs.RelativeDistinguishedNames): string {
  const short: Record<string, string> = {
    [OID.commonName]: 'CN',
    [OID.organization]: 'O',
    [OID.country]: 'C',
  }
  return name.typesAndValues
    .map(({ type, value }) => `${short[type] ?? type}=${String(value.valueBlock.value)}`)
    .reverse()
    .join(', ')
}

/** Lower-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Compares public bytes; not for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

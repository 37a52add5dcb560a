/** Reading and judging certificate extensions (RFC 5280 §4.2). Portable. @module */
import * as asn1 from 'asn1js'
import * as pkijs from 'pkijs'
import { equalBytes, hex, KEY_USAGE, nameText, OID } from './x509-profile.ts'

/** What a leaf certificate was used for. */
export type Purpose = 'seal' | 'timestamp'

/** Extensions that are understood; any other critical one refuses the certificate (§4.2). */
const KNOWN: ReadonlySet<string> = new Set([
  OID.subjectKeyId,
  OID.keyUsage,
  OID.basicConstraints,
  OID.authorityKeyId,
  OID.extKeyUsage,
])

const RSA_BITS_MIN = 2048

/** Key identifiers, where given: of the certificate's own key and of its issuer's. */
export function keyIds(certificate: pkijs.Certificate): {
  readonly subject?: Uint8Array
  readonly authority?: Uint8Array
} {
  const subject = value(certificate, OID.subjectKeyId)
  const authority = value(certificate, OID.authorityKeyId)
  const authorityId =
    authority instanceof pkijs.AuthorityKeyIdentifier ? authority.keyIdentifier : undefined
  return {
    ...(subject instanceof asn1.OctetString ? { subject: subject.valueBlock.valueHexView } : {}),
    ...(authorityId === undefined ? {} : { authority: authorityId.valueBlock.valueHexView }),
  }
}

/** What forbids the certificate to issue others, with `below` authorities under it (§6.1.4). */
export function authorityFindings(certificate: pkijs.Certificate, below: number): string[] {
  const name = nameText(certificate.subject)
  const constraints = value(certificate, OID.basicConstraints)
  const findings = frameFindings(certificate)
  if (!(constraints instanceof pkijs.BasicConstraints) || !constraints.cA) {
    findings.push(`\`${name}\` is not a certification authority`)
  } else {
    if (!isCritical(certificate, OID.basicConstraints)) {
      findings.push(`\`${name}\` has basicConstraints that are not critical`)
    }
    const limit = constraints.pathLenConstraint
    if (typeof limit === 'number' && limit < below) {
      findings.push(`\`${name}\` allows ${limit} authorities below it, and has ${below}`)
    }
  }
  if (((keyUsage(certificate) ?? 0) & KEY_USAGE.keyCertSign) === 0) {
    findings.push(`\`${name}\` may not sign certificates (keyUsage)`)
  }
  return findings
}

/** Whether the authority may sign revocation lists (§6.3.3 (f)). */
export function maySignLists(certificate: pkijs.Certificate): boolean {
  return ((keyUsage(certificate) ?? 0) & KEY_USAGE.crlSign) !== 0
}

/** What forbids the certificate to serve the purpose. */
export function leafFindings(certificate: pkijs.Certificate, purpose: Purpose): string[] {
  const name = nameText(certificate.subject)
  const findings = frameFindings(certificate)
  const constraints = value(certificate, OID.basicConstraints)
  if (constraints instanceof pkijs.BasicConstraints && constraints.cA) {
    findings.push(`\`${name}\` is a certification authority, expected an end entity`)
  }
  const extended = value(certificate, OID.extKeyUsage)
  const usage = keyUsage(certificate)
  const sign = KEY_USAGE.digitalSignature | KEY_USAGE.nonRepudiation
  if (purpose === 'seal') {
    if (usage !== sign) {
      findings.push(`\`${name}\` needs keyUsage digitalSignature and nonRepudiation, no other`)
    }
    if (extended !== undefined) findings.push(`\`${name}\` has an extKeyUsage, expected none`)
    return findings
  }
  // RFC 3161 §2.3: exactly one purpose, and critical, so that the key can serve no other.
  const purposes = extended instanceof pkijs.ExtKeyUsage ? extended.keyPurposes : []
  if (purposes.length !== 1 || purposes[0] !== OID.timeStamping) {
    findings.push(`\`${name}\` needs extKeyUsage timeStamping and no other`)
  } else if (!isCritical(certificate, OID.extKeyUsage)) {
    findings.push(`\`${name}\` has an extKeyUsage that is not critical`)
  }
  if (usage !== undefined && ((usage & sign) === 0 || (usage & ~sign) !== 0)) {
    findings.push(`\`${name}\` has a keyUsage beyond signing`)
  }
  return findings
}

/** Version, serial, duplicate and unknown critical extensions. */
function frameFindings(certificate: pkijs.Certificate): string[] {
  const name = nameText(certificate.subject)
  const extensions = certificate.extensions ?? []
  const serial = certificate.serialNumber.valueBlock.valueHexView
  const unknown = extensions.filter(({ critical, extnID }) => critical && !KNOWN.has(extnID))
  return [
    ...(certificate.version === 2 ? [] : [`\`${name}\` is not X.509 version 3`]),
    // §4.1.2.2: positive, at most 20 octets.
    ...(serial.length === 0 || serial.length > 20 || ((serial[0] ?? 0) & 0x80) !== 0
      ? [`\`${name}\` has no positive serial number of at most 20 octets`]
      : []),
    ...(weakKey(certificate) ? [`\`${name}\` has an RSA key below ${RSA_BITS_MIN} bits`] : []),
    ...(new Set(extensions.map(({ extnID }) => extnID)).size === extensions.length
      ? []
      : [`\`${name}\` has an extension twice`]),
    ...unknown.map(({ extnID }) => `\`${name}\` has the unknown critical extension ${extnID}`),
  ]
}

function weakKey({ subjectPublicKeyInfo }: pkijs.Certificate): boolean {
  const key = subjectPublicKeyInfo.parsedKey
  if (!(key instanceof pkijs.RSAPublicKey)) return false
  const modulus = BigInt(`0x${hex(key.modulus.valueBlock.valueHexView)}`)
  return modulus.toString(2).length < RSA_BITS_MIN
}

function value(certificate: pkijs.Certificate, id: string): unknown {
  const extension = certificate.extensions?.find(({ extnID }) => extnID === id)
  return extension?.parsedValue
}

function isCritical(certificate: pkijs.Certificate, id: string): boolean {
  return certificate.extensions?.some(({ extnID, critical }) => extnID === id && critical) ?? false
}

/** First octet of keyUsage; the ninth bit, decipherOnly, makes it not a signing usage anyway. */
function keyUsage(certificate: pkijs.Certificate): number | undefined {
  const bits = value(certificate, OID.keyUsage)
  if (!(bits instanceof asn1.BitString)) return undefined
  const bytes = bits.valueBlock.valueHexView
  const first = bytes[0] ?? 0
  return bytes.length > 1 && equalBytes(bytes.slice(1), new Uint8Array([0x80])) ? 0 : first
}

/** Which certificate of a dossier seals, and which stand above it. Portable. @module */
import { parseDer, takeParts } from '../der.ts'
import type { SealHeader } from '../seal.ts'
import { equalBytes } from '../x509-profile.ts'
import { hexDigest } from './parts.ts'

/** Hex SHA-256 of the certificate that a record names: its file's name. */
export function sealDigest(header: SealHeader): string {
  return Buffer.from(header['x5t#S256'].replaceAll('-', '+').replaceAll('_', '/'), 'base64').toString('hex') // prettier-ignore
}

/** The certificates of a dossier, taken apart. */
export interface Pool {
  /** DER by hex digest. */
  readonly byDigest: ReadonlyMap<string, Uint8Array>
  /** What stands above seal certificates, roots last, in base64. */
  readonly authorities: readonly string[]
}

/** Sorts certificates. @param seals hex digests that records name. */
export function createPool(certificates: readonly Uint8Array[], seals: ReadonlySet<string>): Pool {
  const byDigest = new Map(certificates.map((der) => [hexDigest(der), der]))
  const authorities = [...byDigest].filter(([digest]) => !seals.has(digest)).map(([, der]) => der)
  const sorted = authorities.toSorted((a, b) => Number(isRoot(a)) - Number(isRoot(b)))
  return { byDigest, authorities: sorted.map((der) => Buffer.from(der).toString('base64')) }
}

/** Self-issued (RFC 5280 §4.1: issuer and subject are one name); false for what is no certificate. */
export function isRoot(der: Uint8Array): boolean {
  try {
    const [tbs] = takeParts(parseDer(der), 0x30, 3)
    const [, , , issuer, , subject] = takeParts(tbs, 0x30, 7, 10)
    return issuer !== undefined && subject !== undefined && equalBytes(issuer.raw, subject.raw)
  } catch {
    return false // No certificate: the check that needs it says so.
  }
}

/** The sealing identity whose key is in a token: only its certificates are files. @module */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toDate } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { readPem, toPem } from '../pem.ts'
import type { SealKey } from '../seal.ts'
import {
  type IdentityOptions,
  openIssuing,
  renewTime,
  SEAL_HOURS,
  writeAnchor,
} from '../x509-identity.ts'
import { issueSeal, toIssuer } from '../x509-issue.ts'
import { equalBytes, readCertificate } from '../x509-profile.ts'
import { writeFileDurably } from '../durable.ts'
import { openTokenKey, type TokenKey, type TokenPlace } from './token.ts'

/** A seal key in a token, with its certificates. */
export interface TokenIdentity extends SealKey {
  /** Issuing authority, root. */
  readonly chainDer: readonly Uint8Array[]
  readonly renewAt: Date
  readonly notAfter: Date
}

/**
 * Opens the key and gives it a certificate where it has none that will do: one key, a new certificate
 * each week. A new key under the same label gets a certificate of its own, and a `key` record.
 *
 * @throws {Problem} `key-unusable`.
 */
export async function openTokenIdentity(
  folder: string,
  place: TokenPlace,
  { instance, organization, clock }: IdentityOptions & { readonly instance: string },
): Promise<TokenIdentity> {
  const at = toDate(clock.wallUs())
  const privateKey = await openTokenKey(place)
  const path = join(folder, 'seal.crt.pem')
  const stored = await readChain(path)
  if (stored !== undefined && fits(stored, privateKey.spki, at))
    return toIdentity(privateKey, stored)
  const issuing = await openIssuing(folder, at)
  const certificateDer = await issueSeal(toIssuer(issuing), privateKey.spki, {
    ...{ commonName: instance, organization, at, hours: SEAL_HOURS.max },
  })
  const chain = [certificateDer, issuing.certificateDer, ...issuing.chainDer]
  await writeAnchor(folder, chain)
  const text = chain.map((der) => toPem('CERTIFICATE', der)).join('')
  await writeFileDurably(path, text, 0o644, 'replace')
  return toIdentity(privateKey, chain)
}

function toIdentity(privateKey: TokenKey, chain: readonly Uint8Array[]): TokenIdentity {
  const [leaf = new Uint8Array(), ...chainDer] = chain
  const { notAfter } = readCertificate(leaf)
  return { privateKey, certificateDer: leaf, chainDer, renewAt: renewTime(leaf), notAfter }
}

function fits([leaf]: readonly Uint8Array[], spki: Uint8Array, at: Date): boolean {
  if (leaf === undefined) return false
  const certificate = readCertificate(leaf)
  return equalBytes(certificate.spki, spki) && at >= certificate.notBefore && at < renewTime(leaf)
}

async function readChain(path: string): Promise<Uint8Array[] | undefined> {
  try {
    return readPem(await readFile(path, 'utf8'))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Problem('key-unusable', `${path}: cannot be read`, { cause })
  }
}

/** The identities in the key folder: made on first use, renewed before they end. @module */
import type { KeyObject } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, toDate } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import { toPem } from './pem.ts'
import {
  createIssuing,
  createRoot,
  generateKey,
  type Issued,
  issueSeal,
  issueTimestampAuthority,
  keySigner,
  toIssuer,
} from './x509-issue.ts'
import { readCertificate } from './x509-profile.ts'
import { writeFileDurably } from './durable.ts'
import { type Bundle, readBundle, writeBundle } from './x509-store.ts'

/** A key with its certificate and the way up to the root. */
export interface Identity {
  readonly privateKey: KeyObject
  readonly certificateDer: Uint8Array
  /** Issuing authority, root. */
  readonly chainDer: readonly Uint8Array[]
  /** From then on, opening again makes a new key and certificate. */
  readonly renewAt: Date
  readonly notAfter: Date
  readonly development: boolean
}

export interface IdentityOptions {
  /** The operator's name, as the certificate's organisation. */
  readonly organization: string
  readonly clock: Clock
}

/** Life of a seal certificate. */
export const SEAL_HOURS = { min: 24, max: 168 } as const
const TIMESTAMP_DAYS = 3 * 365
/** A leaf is renewed when less than this share of its life is left. */
const RENEW_SHARE = 0.2

/**
 * Opens the sealing identity of this instance, and makes or renews it where needed.
 *
 * @param hours life of a new seal certificate, 24 to 168.
 * @throws {Problem} `key-unusable` when a file is open to others, damaged, or not renewable.
 */
export async function openSealIdentity(
  folder: string,
  options: IdentityOptions & { readonly instance: string; readonly hours?: number },
): Promise<Identity> {
  const { instance, organization, clock, hours = SEAL_HOURS.max } = options
  if (hours < SEAL_HOURS.min || hours > SEAL_HOURS.max) {
    throw new Problem('key-unusable', `seal life is ${hours} hours, expected 24 to 168`)
  }
  return openLeaf(folder, 'seal.pem', clock, (issuer, spki, at) =>
    issueSeal(toIssuer(issuer), spki, { commonName: instance, organization, at, hours }),
  )
}

/**
 * Opens the identity of the embedded time stamping authority.
 *
 * @throws {Problem} `key-unusable`, as above.
 */
export async function openTimestampIdentity(
  folder: string,
  { organization, clock }: IdentityOptions,
): Promise<Identity> {
  const commonName = 'Sealgate development time stamping authority'
  return openLeaf(folder, 'tsa.pem', clock, (issuer, spki, at) => {
    const life = { at, days: TIMESTAMP_DAYS }
    return issueTimestampAuthority(toIssuer(issuer), spki, { commonName, organization, ...life })
  })
}

type IssueLeaf = (issuer: Issued, spki: Uint8Array, at: Date) => Promise<Uint8Array>

async function openLeaf(
  folder: string,
  file: string,
  clock: Clock,
  issueLeaf: IssueLeaf,
): Promise<Identity> {
  const at = toDate(clock.wallUs())
  const path = join(folder, file)
  const stored = await readBundle(path)
  if (stored !== undefined) {
    const { notBefore, notAfter } = readCertificate(stored.certificateDer)
    if (at < notBefore) {
      const start = notBefore.toISOString()
      throw new Problem('key-unusable', `${path}: not valid before ${start}, check the clock`)
    }
    if (isFresh(stored, at)) return toIdentity(stored)
    // An outside authority's certificate, without its issuing key, cannot be renewed here.
    if ((await readBundle(join(folder, 'issuing.pem'))) === undefined) {
      if (at <= notAfter) return { ...toIdentity(stored), renewAt: notAfter }
      const end = notAfter.toISOString()
      throw new Problem('key-unusable', `${path}: expired at ${end}, get a new one`)
    }
  }
  const issuing = await openIssuing(folder, at)
  const privateKey = generateKey()
  const certificateDer = await issueLeaf(issuing, keySigner(privateKey).spki, at)
  const chainDer = [issuing.certificateDer, ...issuing.chainDer]
  const leaf = { privateKey, certificateDer, chainDer }
  await writeAnchor(folder, chainDer)
  await writeBundle(path, leaf, 'replace')
  return toIdentity(leaf)
}

/** The public anchor that verifiers are given; not secret. */
export async function writeAnchor(folder: string, chainDer: readonly Uint8Array[]): Promise<void> {
  const anchor = chainDer.slice(-1).map((der) => toPem('CERTIFICATE', der))
  await writeFileDurably(join(folder, 'root.crt.pem'), anchor.join(''), 0o644, 'replace')
}

/**
 * Opens the issuing authority, and makes or renews it where needed. The root's key is needed only
 * here: keep it offline after the first start.
 *
 * @throws {Problem} `key-unusable`.
 */
export async function openIssuing(folder: string, at: Date): Promise<Bundle> {
  const path = join(folder, 'issuing.pem')
  const stored = await readBundle(path)
  if (stored !== undefined && isFresh(stored, at)) return stored
  const root = await openRoot(folder, at, stored !== undefined)
  const issued = await createIssuing(toIssuer(root), at)
  const issuing = { ...issued, chainDer: [root.certificateDer] }
  return writeBundle(path, issuing, stored === undefined ? 'create' : 'replace')
}

async function openRoot(folder: string, at: Date, mustExist: boolean): Promise<Bundle> {
  const path = join(folder, 'root.pem')
  const stored = await readBundle(path)
  if (stored !== undefined) return stored
  if (mustExist) {
    throw new Problem('key-unusable', `${path}: needed to renew issuing.pem, and not there`)
  }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return writeBundle(path, { ...(await createRoot(at)), chainDer: [] }, 'create')
}

function isFresh({ certificateDer }: Bundle, at: Date): boolean {
  return at < renewTime(certificateDer)
}

/** When a certificate is to be followed by the next one. */
export function renewTime(certificateDer: Uint8Array): Date {
  const { notBefore, notAfter } = readCertificate(certificateDer)
  const life = notAfter.getTime() - notBefore.getTime()
  return new Date(notAfter.getTime() - life * RENEW_SHARE)
}

function toIdentity(bundle: Bundle): Identity {
  const { notAfter, development } = readCertificate(bundle.certificateDer)
  return { ...bundle, renewAt: renewTime(bundle.certificateDer), notAfter, development }
}

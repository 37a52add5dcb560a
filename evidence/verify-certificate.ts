/** The certificate checks of a verification; one verifier does each chain and each key once. @module */
import { toBase64url } from '../base/base64url.ts'
import { Problem } from '../base/problem.ts'
import { type ChainResult, verifyChain } from './certificate.ts'
import { type PublicKey, readP256Key, sha256 } from './crypto.ts'
import { remember } from './memo.ts'
import type { Trust } from './verify-trust.ts'
import { readCertificate } from './x509-profile.ts'
import { listsBy } from './x509-revocation.ts'

/** Chains and keys that one verifier remembers; a dossier has a handful. */
const REMEMBERED_MAX = 64

/** A seal certificate as the file gives it. */
export interface SealCertificate {
  readonly der: Buffer
  /** base64url SHA-256 of the DER, as records name it. */
  readonly thumbprint: string
  readonly subject: string
  readonly notBefore: Date
  readonly notAfter: Date
  readonly key: PublicKey
}

/** `listed`: revocation lists had to tell of every certificate of it. */
export interface SealPath extends ChainResult {
  readonly listed: boolean
}

/** Remembers what is the same for many records of one dossier. */
export interface Certificates {
  /** @throws {Problem} `request-malformed` when it is not a certificate in canonical base64. */
  read(text: string): SealCertificate
  /** Whether the chain, leaf first, held at that time under the trusted roots, or under its own last one. */
  check(chain: readonly string[], at: Date, lists?: RevocationLists): Promise<SealPath>
}

/** Revocation lists that came with the evidence, in DER; `id` differs for different lists. */
export interface RevocationLists {
  readonly id: string
  readonly ders: readonly Uint8Array[]
}

/** @param trust undefined: each chain's last certificate is taken for its root. */
export function createCertificates(trust: Trust | undefined): Certificates {
  const certificates = new Map<string, SealCertificate>()
  // Valid results only, with the time during which every certificate of the path is valid.
  const chains = new Map<string, { result: SealPath; from: number; to: number }>()
  const read = (text: string): SealCertificate => {
    const certificate = certificates.get(text) ?? readSeal(text)
    return remember(certificates, REMEMBERED_MAX, text, certificate)
  }
  return {
    read,
    check: async (chain, at, lists) => {
      const key = `${lists?.id} ${chain.join(' ')}`
      const known = chains.get(key)
      if (known !== undefined && known.from <= at.getTime() && at.getTime() <= known.to) {
        return known.result
      }
      const [leafDer = Buffer.alloc(0), ...intermediates] = chain.map((text) => readDer(text))
      const roots = trust?.roots ?? intermediates.slice(-1)
      // Those of time stamp authorities say nothing here.
      const brought = await listsBy([...intermediates, ...roots], lists?.ders ?? [])
      const own = trust?.revocationLists
      const revocationLists = own === undefined && brought.length === 0 ? undefined : [...(own ?? []), ...brought] // prettier-ignore
      const found = await verifyChain({
        ...{ leafDer, intermediates, roots, at, purpose: 'seal' },
        ...(revocationLists === undefined ? {} : { revocationLists }),
      })
      const result = { ...found, listed: revocationLists !== undefined }
      if (!result.valid) return result
      // What lists do not revoke at one time they do not revoke before; of later they say nothing.
      const until = revocationLists === undefined ? {} : { to: at.getTime() }
      const life = { ...commonLife(result.chain), ...until }
      return remember(chains, REMEMBERED_MAX, key, { result, ...life }).result
    },
  }
}

function readSeal(text: string): SealCertificate {
  const der = readDer(text)
  try {
    const { subject, notBefore, notAfter, spki } = readCertificate(der)
    const thumbprint = toBase64url(sha256(der))
    return { der, thumbprint, subject, notBefore, notAfter, key: readP256Key(spki) }
  } catch (cause) {
    throw new Problem('request-malformed', 'a certificate cannot be read', { cause })
  }
}

function readDer(text: string): Buffer {
  const der = Buffer.from(text, 'base64')
  if (der.toString('base64') === text) return der
  throw new Problem('request-malformed', 'a certificate is not canonical base64')
}

function commonLife(chain: readonly Uint8Array[]): { from: number; to: number } {
  const lives = chain.map((der) => readCertificate(der))
  return {
    from: Math.max(...lives.map(({ notBefore }) => notBefore.getTime())),
    to: Math.min(...lives.map(({ notAfter }) => notAfter.getTime())),
  }
}
